package selector

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
	"github.com/loquat-dev/loquat/internal/pystr"
)

const (
	modelFile    = "selector.bin"
	modelKind    = "response selector"
	modelVersion = textmodel.Version

	responsesFile = "responses.json"
	intentsFile   = "retrieval_intents.json"
)

// Persist writes what was learned (docs/formats/diet.md).
func (s *Selector) Persist() (graph.Resource, error) {
	w := weights.NewWriter(modelKind, modelVersion)
	w.Bool(s.learned.model != nil)
	if s.learned.model != nil {
		s.learned.model.Write(w)
		w.Strings(s.learned.keys)
	}
	responses, err := json.Marshal(s.learned.responses)
	if err != nil {
		return nil, fmt.Errorf("encode responses: %w", err)
	}
	intents, err := json.Marshal(s.learned.retrievalIntents)
	if err != nil {
		return nil, fmt.Errorf("encode retrieval intents: %w", err)
	}
	return graph.Resource{modelFile: w.Bytes(), responsesFile: responses, intentsFile: intents}, nil
}

// load reads what Persist has written.
func load(saved graph.Resource, featurizers []string) (learned, error) {
	var l learned
	r := weights.NewReader(saved[modelFile], modelKind, modelVersion)
	if r.Bool() {
		l.model = textmodel.Read(r, featurizers)
		l.keys = r.Strings()
		if r.Err() == nil && len(l.keys) != len(l.model.Labels) {
			r.Fail("%d response keys for %d labels", len(l.keys), len(l.model.Labels))
		}
	}
	if err := cmp.Or(r.Err(), r.Close()); err != nil {
		return learned{}, fmt.Errorf("read %s: %w", modelFile, err)
	}
	for _, file := range []struct {
		name string
		into any
	}{{responsesFile, &l.responses}, {intentsFile, &l.retrievalIntents}} {
		d := json.NewDecoder(bytes.NewReader(saved[file.name]))
		d.UseNumber()
		if err := d.Decode(file.into); err != nil {
			return learned{}, fmt.Errorf("read %s: %w: %w", file.name, weights.ErrCorrupt, err)
		}
	}
	for key, variations := range l.responses {
		for i := range variations {
			l.responses[key][i] = pystr.Numbers(variations[i])
		}
	}
	return l, nil
}
