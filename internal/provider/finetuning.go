package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
)

// finetuningFile is what a model keeps so that it can be decided later whether it
// may be fine-tuned. Its name is Rasa's; it has the things themselves where Rasa
// keeps hashes, so that a refusal can say what differs.
const finetuningFile = "fingerprints-for-validation.json"

// finetuningConfig says which halves of a project are trained.
type finetuningConfig struct {
	Core bool `json:"validate_core"`
	NLU  bool `json:"validate_nlu"`
}

// finetuningValidator refuses to fine-tune a model of another project.
func finetuningValidator() graph.Type {
	return graph.Define(graph.Type{
		Name: "FinetuningValidator", ClassPath: validators + "finetuning_validator.FinetuningValidator", Version: 2,
		Fns: map[string]graph.Fn{"validate": {Needs: []string{"importer"}, Call: func(_ context.Context, c any, in graph.Inputs) (any, error) {
			i, v := in["importer"].(*Importer), c.(*finetuning)
			v.now = unchangingOf(i)
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
	earlier, now unchanging
}

// Persist keeps what must not change after this training.
func (v *finetuning) Persist() (graph.Resource, error) {
	data, err := json.Marshal(v.now)
	if err != nil {
		return nil, err
	}
	return graph.Resource{finetuningFile: data}, nil
}

const fully = "train without --finetune"

// check reports every difference that forbids fine-tuning (nlu.md §6, Rasa
// 3.6.21).
func (v *finetuning) check(c *project.Config) error {
	var problems diag.List
	complain := func(pos diag.Position, hint, format string, args ...any) {
		problems.Errorf(pos, "finetuning", hint, "the model can't be fine-tuned: %s", fmt.Sprintf(format, args...))
	}
	for _, d := range v.earlier.configDifferences(v.now, c) {
		complain(d.pos, fully+"; only the number of epochs may differ", "the configuration has changed since it was trained: %s", d.what)
	}
	file := diag.Position{File: c.File}
	if v.NLU {
		if d := nameDifferences(v.earlier.Labels, v.now.Labels); d != "" {
			complain(file, fully, "intents, entities or actions have come or gone since it was trained: %s", d)
		}
	}
	if v.Core {
		if d := v.earlier.domainDifferences(v.now); d != "" {
			complain(file, fully, "the domain has changed since it was trained, beyond texts: %s", d)
		}
	}
	return problems.Err()
}
