package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
)

// finetuningFile is what a model keeps so that it can be decided later whether it
// may be fine-tuned.
const finetuningFile = "fingerprints-for-validation.json"

// finetuningPrints are the parts of a project that must not change between a
// model and its fine-tuning (nlu.md §6, Rasa 3.6.21).
type finetuningPrints struct {
	Config string `json:"config"` // all but the numbers of epochs
	Labels string `json:"nlu"`    // intents, entities, roles, groups, actions
	Domain string `json:"core"`   // the domain without texts
}

// finetuningConfig says which halves of a project are trained.
type finetuningConfig struct {
	Core bool `json:"validate_core"`
	NLU  bool `json:"validate_nlu"`
}

// finetuningValidator refuses to fine-tune a model of another project.
func finetuningValidator() graph.Type {
	return graph.Define(graph.Type{
		Name: "FinetuningValidator", ClassPath: validators + "finetuning_validator.FinetuningValidator", Version: 1,
		Fns: map[string]graph.Fn{"validate": {Needs: []string{"importer"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			i, v := in["importer"].(*Importer), c.(*finetuning)
			v.now = printsOf(i.Project)
			if v.active {
				if err := v.check(i.Config); err != nil {
					return nil, err
				}
			}
			return graph.Fingerprinted{Value: i}, nil
		}}},
	}, finetuningConfig{true, true}, func(env graph.Env, c finetuningConfig, saved graph.Resource) (any, error) {
		v := &finetuning{finetuningConfig: c, active: env.Finetuning}
		if !v.active {
			return v, nil
		}
		if err := json.Unmarshal(saved[finetuningFile], &v.earlier); err != nil {
			return nil, fmt.Errorf("read %s: %w", finetuningFile, err)
		}
		return v, nil
	})
}

type finetuning struct {
	finetuningConfig
	active       bool
	earlier, now finetuningPrints
}

// Persist keeps the fingerprints of this training.
func (v *finetuning) Persist() (graph.Resource, error) {
	data, err := json.Marshal(v.now)
	if err != nil {
		return nil, err
	}
	return graph.Resource{finetuningFile: data}, nil
}

func (v *finetuning) check(c *project.Config) error {
	var problems diag.List
	complain := func(changed, hint string) {
		problems.Errorf(diag.Position{File: c.File}, "finetuning", hint, "the model can't be fine-tuned: %s since it was trained", changed)
	}
	const fully = "train without --finetune"
	if v.earlier.Config != v.now.Config {
		complain("the configuration has changed", fully+"; only the number of epochs may differ")
	}
	if v.NLU && v.earlier.Labels != v.now.Labels {
		complain("intents, entities or actions have come or gone", fully)
	}
	if v.Core && v.earlier.Domain != v.now.Domain {
		complain("the domain has changed beyond texts", fully)
	}
	return problems.Err()
}

func printsOf(p *project.Project) finetuningPrints {
	var config []any
	for _, section := range []project.Section{p.Config.Pipeline, p.Config.Policies} {
		for _, item := range section.Items {
			settings := item.Values()
			delete(settings, "epochs")
			config = append(config, item.Name, settings)
		}
		config = append(config, nil)
	}
	return finetuningPrints{
		Config: graph.Fingerprint([]any{p.Config.Recipe, p.Config.Language, config}),
		Labels: graph.Fingerprint(labelSet(p)),
		Domain: graph.Fingerprint(p.Domain.ForCoreTraining()),
	}
}

// labelSet are the intents, response keys and entity labels of the NLU data and
// the actions of the stories.
func labelSet(p *project.Project) []string {
	set := map[string]bool{}
	for _, e := range p.NLU.Examples {
		set["intent "+e.Intent] = true
		set["key "+e.IntentResponseKey] = true
		for _, a := range e.Entities {
			set["entity "+a.Entity] = true
			set["role "+a.Entity+" "+a.Role] = true
			set["group "+a.Entity+" "+a.Group] = true
		}
	}
	for _, a := range LabelsOf(p).ActionNames {
		set["action "+a] = true
	}
	return slices.Sorted(maps.Keys(set))
}
