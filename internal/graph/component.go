// Package graph runs components as nodes of a graph, in training and for every
// message: it validates a schema, runs independent nodes in parallel, remembers
// what a node made of its inputs, and tells a Hook about each step.
//
// A component describes itself with a Type; nothing registers itself.
package graph

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// Kind is a role that a component can play. Names are Rasa's.
type Kind string

// The roles of components.
const (
	Tokenizer        Kind = "MESSAGE_TOKENIZER"
	Featurizer       Kind = "MESSAGE_FEATURIZER"
	IntentClassifier Kind = "INTENT_CLASSIFIER"
	EntityExtractor  Kind = "ENTITY_EXTRACTOR"
	ModelLoader      Kind = "MODEL_LOADER"
	PolicyEndToEnd   Kind = "POLICY_WITH_END_TO_END_SUPPORT"
	Policy           Kind = "POLICY_WITHOUT_END_TO_END_SUPPORT"
)

// Type is everything that a configuration, a schema and a run need to know about
// one kind of component.
type Type struct {
	Name      string // class name, as config.yml writes it
	ClassPath string // Rasa's dotted path of that class
	Kinds     []Kind
	Trainable bool
	Defaults  Config // every setting with its default value

	// Version changes whenever the component would learn or answer differently
	// from the same input; it is part of a node's fingerprint.
	Version int

	Requires     []string // kinds of component or class names that must run before
	Languages    []string // the only languages that it can handle; nil means all
	NotLanguages []string // languages that it can't handle
	Packages     []string // Python packages that Rasa's needs
	ModelFrom    string   // class whose provider node it takes as "model"

	// AnyKind are settings that may be of another kind than their default, such as
	// "true, or a mapping"; Check judges them.
	AnyKind []string

	// Check reports what is wrong with a merged configuration, one error for each
	// setting, each beginning with its name. Define sets it, if it is nil, to one
	// that tries to decode; of other types, nil means that anything goes.
	Check func(Config) []error

	// Files gives what the settings refer to outside of the configuration, for the
	// fingerprint of a node; nil means that they refer to nothing.
	Files func(Config) (Resource, error)

	// Resolve looks at what a merged configuration that Check has nothing against
	// refers to outside of the project's data. It returns settings to add to those of
	// the node, which become part of fingerprints and models and so say what was
	// found, and what the user should know. nil adds nothing.
	Resolve func(c Config, language string) (more Config, advice []Advice)

	// Build makes the component. It is nil for a component that Rasa has and this
	// binary doesn't: reading and validation know it, running refuses it.
	Build Builder

	// Fns are the things that the component can be asked to do, by Rasa's names:
	// "train", "process_training_data", "process", "provide" ...
	Fns map[string]Fn
}

// Advice is something about a configuration that the user should know.
type Advice struct {
	Setting string // that it is about; "" for the component
	Code    string // stable, for docs/problems.md
	Message string
	Hint    string
}

// Builder makes a component for one node. saved is nil for a fresh one
// (constructor "create"), and otherwise what the component persisted earlier.
type Builder func(env Env, config Config, saved Resource) (any, error)

// Fn is one thing that a component can do.
type Fn struct {
	Needs []string // names of the parameters it takes
	Call  func(ctx context.Context, component any, in Inputs) (any, error)
}

// Inputs are the values of a node's parameters, by name. A function may keep the
// values, not the map.
type Inputs map[string]any

// Persister is a component that has something to keep after training.
type Persister interface {
	// Persist returns what a Builder needs to make the same component again. The
	// same learned state gives the same bytes.
	Persist() (Resource, error)
}

// Resource is what a component keeps: file names and their contents. Names are
// base names without path separators.
type Resource map[string][]byte

// Env is what a node may know about the run that it is part of.
type Env struct {
	NodeName   string
	Logger     *slog.Logger
	Finetuning bool // start from saved instead of learning anew
	Threads    int  // how many goroutines a component may keep busy
	// Cache is where a component may keep between trainings what is costly to compute
	// again, under keys of its own; nil for nowhere. A model must not depend on what
	// is in there.
	Cache Cache
}

// Config is a component's configuration after its defaults were merged in.
// Values are those of JSON, with int64 for whole numbers.
type Config map[string]any

// Define completes a Type whose configuration is the struct C: defaults become
// Type.Defaults, and build gets the decoded struct.
func Define[C any](t Type, defaults C, build func(env Env, config C, saved Resource) (any, error)) Type {
	data, err := json.Marshal(defaults)
	if err == nil {
		t.Defaults, err = decodeConfig(data)
	}
	if err != nil {
		panic(fmt.Sprintf("graph: defaults of %s: %v", t.Name, err)) // a broken literal in our own code
	}
	if t.Check == nil {
		t.Check = func(config Config) []error {
			var c C
			if err := config.Decode(&c); err != nil {
				return []error{err}
			}
			return nil
		}
	}
	if build != nil {
		t.Build = func(env Env, config Config, saved Resource) (any, error) {
			// The defaults are decoded too: a copy would share their lists, and
			// decoding writes into lists.
			var c C
			if err := json.Unmarshal(data, &c); err != nil {
				return nil, fmt.Errorf("decode defaults: %w", err)
			}
			if err := config.Decode(&c); err != nil {
				return nil, err
			}
			return build(env, c, saved)
		}
	}
	return t
}

// Hook watches nodes while they run. Before is called as a node starts and
// returns the context that it runs in and a function to call when it is done.
type Hook interface {
	Before(ctx context.Context, node NodeRun) (context.Context, func(NodeResult))
}

// NodeRun says which node is about to run.
type NodeRun struct {
	NodeName  string
	Component string // class name
	Fn        string
	Training  bool
}

// NodeResult says how a node's run went.
type NodeResult struct {
	CacheHit bool // training: the result was restored, nothing ran
	Output   any  // what the node gave, to look at only; nil if it failed
	Err      error
}
