// Package provider holds the nodes of a graph that supply what others work on:
// the project's parts in training, and what was learned beside the pipeline at
// run time. Their names are Rasa's, which traces and models carry.
package provider

import (
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Importer is the input of a train graph.
type Importer struct {
	*project.Project
	// Types are the components that the configuration can name.
	Types graph.Types
	// Problems collects what providers notice on the way, such as checkpoints that
	// lead nowhere.
	Problems *diag.List
}

// Types lists the providers.
func Types() []graph.Type {
	return []graph.Type{
		schemaValidator(),
		finetuningValidator(),
		nluTrainingData(),
		domainProvider(),
		coreDomain(),
		forms(),
		responses(),
		storyGraph(),
		trainingTrackers(),
		ruleOnlyData(),
		featurizationInput(),
		featurizationResult(),
	}
}

const (
	providers  = "rasa.graph_components.providers."
	validators = "rasa.graph_components.validators."
)

// importerFn is a function that takes the importer.
func importerFn(f func(i *Importer) (any, string, error)) graph.Fn {
	return graph.Fn{Needs: []string{"importer"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
		value, print, err := f(in["importer"].(*Importer))
		if err != nil {
			return nil, err
		}
		return graph.Fingerprinted{Value: value, Print: print}, nil
	}}
}

// stateless is the builder of a component without settings and state.
func stateless(graph.Env, struct{}, graph.Resource) (any, error) { return struct{}{}, nil }

// schemaValidator stands for Rasa's check of the project, which package validate
// has made before the graph runs; it hands the importer on.
func schemaValidator() graph.Type {
	return graph.Define(graph.Type{
		Name: "DefaultV1RecipeValidator", ClassPath: validators + "default_recipe_validator.DefaultV1RecipeValidator", Version: 1,
		Fns: map[string]graph.Fn{"validate": importerFn(func(i *Importer) (any, string, error) { return i, "", nil })},
	}, struct{}{}, stateless)
}

// nluTrainingData provides the NLU data as messages.
func nluTrainingData() graph.Type {
	type config struct {
		Language *string `json:"language"`
		Persist  bool    `json:"persist"`
	}
	return graph.Define(graph.Type{
		Name: "NLUTrainingDataProvider", ClassPath: providers + "nlu_training_data_provider.NLUTrainingDataProvider", Version: 1,
		Fns: map[string]graph.Fn{"provide": {Needs: []string{"importer"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			i := in["importer"].(*Importer)
			p := c.(*nluData)
			p.project = i.Project
			labels := LabelsOf(i.Project)
			return graph.Fingerprinted{
				Value: nlu.NewTrainingData(i.NLU, labels),
				Print: graph.Fingerprint([]any{i.NLU, labels}),
			}, nil
		}}},
	}, config{}, func(_ graph.Env, c config, _ graph.Resource) (any, error) { return &nluData{persist: c.Persist}, nil })
}

// nluData is the node that provides NLU data, and keeps it if asked to.
type nluData struct {
	persist bool
	project *project.Project
}

// Persist writes the data with --persist-nlu-data, and nothing otherwise.
func (p *nluData) Persist() (graph.Resource, error) {
	if !p.persist {
		return nil, nil
	}
	return graph.Resource{"training_data.yml": p.project.NLU.YAML()}, nil
}

// domainProvider provides the domain in training, and the one that was trained
// with at run time.
func domainProvider() graph.Type {
	return graph.Define(graph.Type{
		Name: "DomainProvider", ClassPath: providers + "domain_provider.DomainProvider", Version: 1,
		Fns: map[string]graph.Fn{
			"provide_train": {Needs: []string{"importer"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
				d := in["importer"].(*Importer).Domain
				c.(*domainNode).domain = d
				return graph.Fingerprinted{Value: d, Print: graph.Fingerprint(d)}, nil
			}},
			"provide_inference": {Call: func(_ context.Context, c any, _ graph.Inputs) (any, error) { return c.(*domainNode).domain, nil }},
		},
	}, struct{}{}, func(_ graph.Env, _ struct{}, saved graph.Resource) (any, error) {
		if saved == nil {
			return &domainNode{}, nil
		}
		d, err := ReadDomain(saved)
		return &domainNode{d}, err
	})
}

// DomainFile is the file that a model keeps the domain in: JSON, which is YAML
// too.
const DomainFile = "domain.yml"

type domainNode struct{ domain *domain.Domain }

// DomainOf returns the domain that a DomainProvider component hands on; nil for
// any other component.
func DomainOf(component any) *domain.Domain {
	if n, ok := component.(*domainNode); ok {
		return n.domain
	}
	return nil
}

// Persist keeps the whole domain.
func (n *domainNode) Persist() (graph.Resource, error) {
	if n.domain == nil {
		return nil, nil
	}
	data, err := n.domain.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode domain: %w", err)
	}
	return graph.Resource{DomainFile: data}, nil
}

// ReadDomain reads the domain that a model keeps.
func ReadDomain(saved graph.Resource) (*domain.Domain, error) {
	var problems diag.List
	d := domain.Read(yamlfile.Parse(saved[DomainFile], DomainFile, &problems), &problems)
	return d, problems.Err()
}

// domainFn is an input node that takes the domain.
func domainFn(name, path string, f func(d *domain.Domain) (any, string)) graph.Type {
	return graph.Define(graph.Type{
		Name: name, ClassPath: providers + path, Version: 1,
		Fns: map[string]graph.Fn{"provide": {Needs: []string{"domain"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			value, print := f(in["domain"].(*domain.Domain))
			return graph.Fingerprinted{Value: value, Print: print}, nil
		}}},
	}, struct{}{}, stateless)
}

// coreDomain provides what policies learn with: the domain without the texts of
// responses and the like, so that a new text does not train them again.
func coreDomain() graph.Type {
	return domainFn("DomainForCoreTrainingProvider", "domain_for_core_training_provider.DomainForCoreTrainingProvider", func(d *domain.Domain) (any, string) {
		stripped := d.ForCoreTraining()
		return stripped, graph.Fingerprint(stripped)
	})
}

func forms() graph.Type {
	return domainFn("FormsProvider", "forms_provider.FormsProvider", func(d *domain.Domain) (any, string) {
		return d.Forms, graph.Fingerprint(d.Forms)
	})
}

func responses() graph.Type {
	return domainFn("ResponsesProvider", "responses_provider.ResponsesProvider", func(d *domain.Domain) (any, string) {
		return d.Responses, graph.Fingerprint(d.Responses)
	})
}

// storyGraph provides stories and rules.
func storyGraph() graph.Type {
	type config struct {
		ExclusionPercentage *float64 `json:"exclusion_percentage"`
	}
	return graph.Define(graph.Type{
		Name: "StoryGraphProvider", ClassPath: providers + "story_graph_provider.StoryGraphProvider", Version: 1,
		Fns: map[string]graph.Fn{"provide": {Needs: []string{"importer"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			i := in["importer"].(*Importer)
			return graph.Fingerprinted{Value: stories{i.Stories, i.Problems}, Print: graph.Fingerprint(describeStories(i.Stories))}, nil
		}}},
	}, config{}, func(_ graph.Env, c config, _ graph.Resource) (any, error) {
		if c.ExclusionPercentage != nil && *c.ExclusionPercentage != 0 {
			return nil, fmt.Errorf("leaving out stories (exclusion_percentage) is not built yet")
		}
		return struct{}{}, nil
	})
}

// stories are a story graph and the list for complaints about it.
type stories struct {
	graph    *story.Graph
	problems *diag.List
}

// trainingTrackers provides the conversations that policies learn from.
func trainingTrackers() graph.Type {
	return graph.Define(graph.Type{
		Name: "TrainingTrackerProvider", ClassPath: providers + "training_tracker_provider.TrainingTrackerProvider", Version: 1,
		Fns: map[string]graph.Fn{"provide": {Needs: []string{"story_graph", "domain"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			s := in["story_graph"].(stories)
			return trainingtracker.Generate(ctx, s.graph, in["domain"].(*domain.Domain), c.(trainingtracker.Config), s.problems)
		}}},
	}, trainingtracker.Defaults(), func(_ graph.Env, c trainingtracker.Config, _ graph.Resource) (any, error) { return c, nil })
}

// ruleOnlyData provides the slots and loops that occur in rules alone.
func ruleOnlyData() graph.Type {
	return graph.Define(graph.Type{
		Name: "RuleOnlyDataProvider", ClassPath: providers + "rule_only_provider.RuleOnlyDataProvider", Version: 1,
		Fns: map[string]graph.Fn{"provide": {Call: func(_ context.Context, c any, _ graph.Inputs) (any, error) { return c, nil }}},
	}, struct{}{}, func(_ graph.Env, _ struct{}, saved graph.Resource) (any, error) {
		if saved == nil {
			return (*dialogue.RuleOnlyData)(nil), nil // no RulePolicy
		}
		return rule.ReadRuleOnly(saved)
	})
}
