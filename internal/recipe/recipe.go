// Package recipe turns config.yml into graphs: which nodes train a model, and
// which answer with it. Names of nodes and functions are Rasa's, since they are
// part of models, traces and logs.
package recipe

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
)

// TrainingType says what a training covers. The values are Rasa's in a model's
// metadata.
type TrainingType int

// The training types.
const (
	NLU      TrainingType = 1
	Core     TrainingType = 2
	Both     TrainingType = 3
	EndToEnd TrainingType = 4
)

// String gives the name that traces and documents use.
func (t TrainingType) String() string {
	return [...]string{"", "NLU", "CORE", "BOTH", "END-TO-END"}[t]
}

// ModelType is the name that Rasa's code uses: nlu, core or rasa.
func (t TrainingType) ModelType() string {
	return [...]string{"", "nlu", "core", "rasa", "rasa"}[t]
}

func (t TrainingType) hasNLU() bool  { return t != Core }
func (t TrainingType) hasCore() bool { return t != NLU }

// Options are what the command line adds to a configuration.
type Options struct {
	Type           TrainingType
	PersistNLUData bool
	Augmentation   int     // stories glued together, times ten
	Finetuning     bool    // components load instead of starting afresh
	EpochFraction  float64 // share of the epochs when fine-tuning
}

// DefaultAugmentation is --augmentation unless it is given.
const DefaultAugmentation = 50

// Graphs are what a configuration means.
type Graphs struct {
	Recipe     string
	Language   string
	Train      graph.Schema
	Predict    graph.Schema
	NLUTarget  string
	CoreTarget string // "" without policies
	// Origin tells where in config.yml a node comes from; nodes that every
	// assistant has are missing.
	Origin map[string]diag.Position
}

// Names of nodes that others refer to.
const (
	nodeSchemaValidator  = "schema_validator"
	nodeFinetuning       = "finetuning_validator"
	nodeNLUData          = "nlu_training_data_provider"
	nodeDomain           = "domain_provider"
	nodeCoreDomain       = "domain_for_core_training_provider"
	nodeForms            = "forms_provider"
	nodeResponses        = "responses_provider"
	nodeStories          = "story_graph_provider"
	nodeTrackers         = "training_tracker_provider"
	nodeMessageConverter = "nlu_message_converter"
	nodeIntentMessages   = "run_RegexMessageHandler"
	nodeRuleOnly         = "rule_only_data_provider"
	nodeSelect           = "select_prediction"
)

// Build makes the graphs of a completed configuration. Unknown components and the
// like are added to problems.
func Build(c *project.Config, types graph.Types, o Options, problems *diag.List) *Graphs {
	if c.Recipe == GraphV1 {
		return fromSchemas(c, types, o.Type, problems)
	}
	b := &builder{config: c, types: types, options: o, problems: problems, graphs: &Graphs{
		Recipe: DefaultV1, Language: c.Language, NLUTarget: nodeIntentMessages, Origin: map[string]diag.Position{},
	}}
	pipeline := b.components(c.Pipeline, false)
	policies := b.components(c.Policies, true)
	b.train(pipeline, policies)
	b.predict(pipeline, policies)
	return b.graphs
}

// builder collects the nodes of both graphs.
type builder struct {
	config   *project.Config
	types    graph.Types
	options  Options
	problems *diag.List
	graphs   *Graphs
}

// component is one entry of the pipeline or the policies.
type component struct {
	project.Item
	typ    *graph.Type
	suffix string // class name and position: DIETClassifier5
	config graph.Config
}

func (c *component) is(kinds ...graph.Kind) bool {
	return slices.ContainsFunc(c.typ.Kinds, func(k graph.Kind) bool { return slices.Contains(kinds, k) })
}

// components looks up the types of a section's entries.
func (b *builder) components(s project.Section, policies bool) []*component {
	var out []*component
	for i, item := range s.Items {
		name, ok := ClassName(item, b.types, b.problems)
		if !ok {
			continue
		}
		typ := b.types[name]
		c := &component{Item: item, typ: typ, suffix: fmt.Sprintf("%s%d", name, i), config: b.settings(item, typ)}
		b.resolve(c)
		isPolicy := c.is(graph.Policy, graph.PolicyEndToEnd)
		switch {
		case isPolicy && !policies:
			b.problems.Errorf(item.Pos, "misplaced-component", `move it to "policies"`, "the policy %q stands in the pipeline", name)
		case !isPolicy && policies:
			b.problems.Errorf(item.Pos, "misplaced-component", `move it to "pipeline"`, "%q stands among the policies and is none", name)
		default:
			out = append(out, c)
		}
	}
	return out
}

// settings are what the user wrote. Settings that the component does not have
// are reported.
func (b *builder) settings(item project.Item, typ *graph.Type) graph.Config {
	config := graph.Config{}
	names := make([]string, 0, len(typ.Defaults))
	for name := range typ.Defaults {
		names = append(names, name)
	}
	for _, p := range item.Params {
		name := p.Key.Text
		if _, known := typ.Defaults[name]; !known && !slices.Contains(extraSettings[typ.Name], name) && name != "featurizer" {
			b.problems.Warnf(p.Key.Pos, "unknown-setting", diag.DidYouMean(name, names), "%s has no setting %q; it is ignored", typ.Name, name)
		}
		config[name] = p.Value.Any()
	}
	return config
}

// resolve adds what a component's type knows about what the settings refer to.
func (b *builder) resolve(c *component) {
	if c.typ.Resolve == nil {
		return
	}
	more, advice := c.typ.Resolve(graph.Merged(c.typ.Defaults, c.config), b.config.Language)
	maps.Copy(c.config, more)
	for _, a := range advice {
		pos := c.Pos
		if p := c.place(a.Setting); a.Setting != "" {
			pos = p
		}
		b.problems.Warnf(pos, diag.Code(a.Code), a.Hint, "%s: %s", c.typ.Name, a.Message)
	}
}

// extraSettings are settings that Rasa accepts beside the defaults it lists.
var extraSettings = map[string][]string{
	"CountVectorsFeaturizer": {"additional_vocabulary_size"},
	"RegexFeaturizer":        {"number_additional_patterns"},
	"RulePolicy":             {"max_history"},
	"SpacyNLP":               {"model"},
	"UnexpecTEDIntentPolicy": {"max_history"},
}

func (b *builder) addTrain(n graph.Node, origin diag.Position) {
	n.Constructor = graph.Create
	n.Config = b.fewerEpochs(n)
	if b.options.Finetuning && (n.Fn == "train" || n.Name == nodeFinetuning) {
		n.Constructor = graph.Load
	}
	if n.Fn == "process_training_data" {
		n.Constructor = graph.Load
	}
	if n.Config == nil {
		n.Config = graph.Config{}
	}
	b.graphs.Train.Nodes = append(b.graphs.Train.Nodes, n)
	if !origin.IsZero() {
		b.graphs.Origin[n.Name] = origin
	}
}

// fewerEpochs gives the settings of a node in training: when only a share of the
// epochs is wanted, Rasa changes their number and notes the share beside it.
func (b *builder) fewerEpochs(n graph.Node) graph.Config {
	share := b.options.EpochFraction
	epochs, ok := graph.Merged(b.types[n.Uses].Defaults, n.Config)["epochs"].(int64)
	if !b.options.Finetuning || !ok || share <= 0 || share == 1 {
		return n.Config
	}
	config := maps.Clone(n.Config)
	config["epochs"], config["finetuning_epoch_fraction"] = int64(math.Ceil(float64(epochs)*share)), share
	return config
}

// train makes the train graph (nlu.md §5.1, Rasa 3.6.21).
func (b *builder) train(pipeline, policies []*component) {
	o := b.options
	none := diag.Position{}
	b.addTrain(graph.Node{Name: nodeSchemaValidator, Uses: "DefaultV1RecipeValidator", Fn: "validate", IsInput: true, Needs: needs("importer", graph.InputImporter)}, none)
	b.addTrain(graph.Node{
		Name: nodeFinetuning, Uses: "FinetuningValidator", Fn: "validate", IsInput: true, Needs: needs("importer", nodeSchemaValidator),
		Config: graph.Config{"validate_core": o.Type.hasCore(), "validate_nlu": o.Type.hasNLU()},
	}, none)
	if o.Type.hasNLU() && len(pipeline) > 0 {
		b.addTrain(graph.Node{
			Name: nodeNLUData, Uses: "NLUTrainingDataProvider", Fn: "provide", IsInput: true, IsTarget: o.PersistNLUData,
			Config: graph.Config{"language": orNil(b.config.Language), "persist": o.PersistNLUData},
			Needs:  needs("importer", nodeFinetuning),
		}, none)
		b.trainPipeline(pipeline)
	}
	if !o.Type.hasCore() {
		return
	}
	b.addTrain(graph.Node{Name: nodeDomain, Uses: "DomainProvider", Fn: "provide_train", IsInput: true, IsTarget: true, Needs: needs("importer", nodeFinetuning)}, none)
	b.addTrain(graph.Node{Name: nodeCoreDomain, Uses: "DomainForCoreTrainingProvider", Fn: "provide", IsInput: true, Needs: needs("domain", nodeDomain)}, none)
	b.addTrain(graph.Node{Name: nodeForms, Uses: "FormsProvider", Fn: "provide", IsInput: true, Needs: needs("domain", nodeDomain)}, none)
	b.addTrain(graph.Node{Name: nodeResponses, Uses: "ResponsesProvider", Fn: "provide", IsInput: true, Needs: needs("domain", nodeDomain)}, none)
	b.addTrain(graph.Node{
		Name: nodeStories, Uses: "StoryGraphProvider", Fn: "provide", IsInput: true,
		Config: graph.Config{"exclusion_percentage": nil}, Needs: needs("importer", nodeFinetuning),
	}, none)
	trackers := graph.Config{}
	if o.Augmentation != DefaultAugmentation {
		trackers["augmentation_factor"] = int64(o.Augmentation)
	}
	b.addTrain(graph.Node{
		Name: nodeTrackers, Uses: "TrainingTrackerProvider", Fn: "provide", Config: trackers,
		Needs: needs("story_graph", nodeStories, "domain", nodeCoreDomain),
	}, none)
	for _, c := range policies {
		n := needs("training_trackers", nodeTrackers, "domain", nodeCoreDomain)
		if c.is(graph.PolicyEndToEnd) && o.Type == EndToEnd {
			n["precomputations"] = "end_to_end_features_provider"
		}
		b.addTrain(graph.Node{Name: "train_" + c.suffix, Uses: c.typ.Name, Fn: "train", IsTarget: true, Config: c.config, Needs: n}, c.Pos)
	}
	if o.Type == EndToEnd {
		b.trainEndToEnd(pipeline)
	}
}

func (b *builder) trainPipeline(pipeline []*component) {
	last := nodeNLUData
	for _, c := range pipeline {
		if c.is(graph.ModelLoader) {
			b.addTrain(graph.Node{Name: "provide_" + c.suffix, Uses: c.typ.Name, Fn: "provide", Config: c.config, Needs: map[string]string{}}, c.Pos)
		}
		n := needs("training_data", last)
		b.withModel(n, c, pipeline)
		if c.typ.Trainable {
			b.addTrain(graph.Node{Name: "train_" + c.suffix, Uses: c.typ.Name, Fn: "train", IsTarget: true, Config: c.config, Needs: n}, c.Pos)
		}
		if !c.is(graph.Tokenizer, graph.Featurizer) {
			continue
		}
		n = needs("training_data", last)
		b.withModel(n, c, pipeline)
		if c.typ.Trainable {
			n[graph.NeedsResource] = "train_" + c.suffix
		}
		last = "run_" + c.suffix
		b.addTrain(graph.Node{Name: last, Uses: c.typ.Name, Fn: "process_training_data", Config: c.config, Needs: n}, c.Pos)
	}
}

// withModel adds the model that a component takes from a loader before it.
func (b *builder) withModel(n map[string]string, c *component, pipeline []*component) {
	for _, loader := range pipeline {
		if loader == c && !loader.is(graph.Featurizer) {
			return
		}
		if loader.is(graph.ModelLoader) && (loader.typ.Name == c.typ.ModelFrom || loader == c) {
			n["model"] = "provide_" + loader.suffix
			return
		}
	}
}

// trainEndToEnd adds the chain that featurizes the texts of stories.
func (b *builder) trainEndToEnd(pipeline []*component) {
	last := "story_to_nlu_training_data_converter"
	b.addTrain(graph.Node{
		Name: last, Uses: "CoreFeaturizationInputConverter", Fn: "convert_for_training", IsInput: true,
		Needs: needs("story_graph", nodeStories, "domain", nodeCoreDomain),
	}, diag.Position{})
	for _, c := range pipeline {
		if !c.is(graph.Tokenizer, graph.Featurizer) {
			continue
		}
		n := needs("training_data", last)
		b.withModel(n, c, pipeline)
		if c.typ.Trainable {
			n[graph.NeedsResource] = "train_" + c.suffix
		}
		last = "e2e_run_" + c.suffix
		b.addTrain(graph.Node{Name: last, Uses: c.typ.Name, Fn: "process_training_data", Config: c.config, Needs: n}, c.Pos)
	}
	b.addTrain(graph.Node{Name: "end_to_end_features_provider", Uses: "CoreFeaturizationCollector", Fn: "collect", Needs: needs("messages", last)}, diag.Position{})
}

func (b *builder) addPredict(n graph.Node, origin ...diag.Position) {
	for _, pos := range origin {
		b.graphs.Origin[n.Name] = pos
	}
	n.Constructor, n.Eager = graph.Load, true
	if n.Config == nil {
		n.Config = graph.Config{}
	}
	b.graphs.Predict.Nodes = append(b.graphs.Predict.Nodes, n)
}

// predict makes the prediction graph (nlu.md §5.2, Rasa 3.6.21).
func (b *builder) predict(pipeline, policies []*component) {
	o := b.options
	last := nodeMessageConverter
	b.addPredict(graph.Node{Name: last, Uses: "NLUMessageConverter", Fn: "convert_user_message", Needs: needs("messages", graph.InputMessage)})
	if o.Type.hasNLU() {
		for _, c := range pipeline {
			if c.is(graph.ModelLoader) {
				b.addPredict(graph.Node{Name: "provide_" + c.suffix, Uses: c.typ.Name, Fn: "provide", Config: c.config, Needs: map[string]string{}}, c.Pos)
			}
			if !c.is(graph.Tokenizer, graph.Featurizer, graph.IntentClassifier, graph.EntityExtractor) {
				continue
			}
			n := needs("messages", last)
			b.withModel(n, c, pipeline)
			last = "run_" + c.suffix
			b.addPredict(graph.Node{Name: last, Uses: c.typ.Name, Fn: "process", Config: c.config, Needs: n, Resource: learned(c)}, c.Pos)
		}
	}
	n := needs("messages", last)
	if o.Type.hasCore() {
		n["domain"] = nodeDomain
	}
	b.addPredict(graph.Node{Name: nodeIntentMessages, Uses: "RegexMessageHandler", Fn: "process", Needs: n})
	if !o.Type.hasCore() {
		return
	}
	b.graphs.CoreTarget = nodeSelect
	b.addPredict(graph.Node{Name: nodeDomain, Uses: "DomainProvider", Fn: "provide_inference", Resource: nodeDomain, Needs: map[string]string{}})
	selects := needs("domain", nodeDomain, "tracker", graph.InputTracker)
	rules := ""
	for i, c := range policies {
		if rules == "" && c.typ.Name == "RulePolicy" {
			rules = "train_" + c.suffix
		}
		n := needs("tracker", graph.InputTracker, "domain", nodeDomain, "rule_only_data", nodeRuleOnly)
		if c.is(graph.PolicyEndToEnd) && o.Type == EndToEnd {
			n["precomputations"] = "end_to_end_features_provider"
		}
		b.addPredict(graph.Node{Name: "run_" + c.suffix, Uses: c.typ.Name, Fn: "predict_action_probabilities", Config: c.config, Needs: n, Resource: learned(c)}, c.Pos)
		selects[fmt.Sprintf("policy%d", i)] = "run_" + c.suffix
	}
	b.addPredict(graph.Node{Name: nodeRuleOnly, Uses: "RuleOnlyDataProvider", Fn: "provide", Resource: rules, Needs: map[string]string{}})
	if o.Type == EndToEnd {
		b.predictEndToEnd(pipeline)
	}
	b.addPredict(graph.Node{Name: nodeSelect, Uses: "DefaultPolicyPredictionEnsemble", Fn: "combine_predictions_from_kwargs", Needs: selects})
}

func (b *builder) predictEndToEnd(pipeline []*component) {
	last := "tracker_to_message_converter"
	b.addPredict(graph.Node{Name: last, Uses: "CoreFeaturizationInputConverter", Fn: "convert_for_inference", Needs: needs("tracker", graph.InputTracker)})
	for _, c := range pipeline {
		if !c.is(graph.Tokenizer, graph.Featurizer) {
			continue
		}
		n := needs("messages", last)
		b.withModel(n, c, pipeline)
		last = "e2e_run_" + c.suffix
		b.addPredict(graph.Node{Name: last, Uses: c.typ.Name, Fn: "process", Config: c.config, Needs: n, Resource: learned(c)})
	}
	b.addPredict(graph.Node{Name: "end_to_end_features_provider", Uses: "CoreFeaturizationCollector", Fn: "collect", Needs: needs("messages", last)})
}

// learned is the node whose result a component needs at run time.
func learned(c *component) string {
	if !c.typ.Trainable {
		return ""
	}
	return "train_" + c.suffix
}

func needs(pairs ...string) map[string]string {
	m := make(map[string]string, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i]] = pairs[i+1]
	}
	return m
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// ClassName resolves the name of an entry to a known class: as it stands, or by
// Rasa's own dotted path. Anything else is a problem.
func ClassName(item project.Item, types graph.Types, problems *diag.List) (string, bool) {
	return className(item.Name, item.Pos, types, problems)
}

func className(name string, pos diag.Position, types graph.Types, problems *diag.List) (string, bool) {
	if _, ok := types[name]; ok {
		return name, true
	}
	var names []string
	for known, t := range types {
		if t.ClassPath == name {
			return known, true
		}
		if len(t.Kinds) > 0 {
			names = append(names, known)
		}
	}
	short := name[strings.LastIndexByte(name, '.')+1:]
	if short != name && !strings.HasPrefix(name, "rasa.") {
		problems.Errorf(pos, "python-class", "use a built-in component, or do it in an action server", "the component %q is a Python class, which can't run here", name)
		return "", false
	}
	hint := elsewhere[short]
	if hint == "" {
		hint = diag.DidYouMean(short, names)
	}
	if hint == "" {
		hint = "see: loquat components"
	}
	problems.Errorf(pos, "unknown-component", hint, "there is no component %q", name)
	return "", false
}
