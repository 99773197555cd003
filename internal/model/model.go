// Package model keeps what a training made: one .tar.gz file with the graphs, the
// domain and what every component learned.
//
// The bytes of an archive depend on what it holds and on nothing else: no time, no
// host, no order of work. Reading believes nothing: sizes and numbers are bounded,
// names can't leave the archive, and nothing in it is ever executed. The format is
// described in docs/formats/model-archive.md.
package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/graph"
)

// Format marks archives that this program can read; it changes when they can no
// longer be read.
const Format = "loquat/1"

// Model is one trained assistant.
type Model struct {
	Metadata
	Path string // of the archive that it was read from; "" otherwise
	// Resources is what each node of the train graph kept, by node name.
	Resources map[string]graph.Resource
}

// Metadata is metadata.json. Keys are those of Rasa 3.6, and format.
type Metadata struct {
	Format             string           `json:"format"`
	Loquat             string           `json:"loquat_version"`
	Rasa               string           `json:"rasa_open_source_version"`
	ModelID            string           `json:"model_id"`
	AssistantID        string           `json:"assistant_id"`
	TrainingType       int              `json:"training_type"`
	Language           *string          `json:"language"`
	Spaces             []map[string]any `json:"spaces"`
	ProjectFingerprint *string          `json:"project_fingerprint"`
	NLUTarget          string           `json:"nlu_target"`
	CoreTarget         *string          `json:"core_target"`
	TrainSchema        graph.Schema     `json:"train_schema"`
	PredictSchema      graph.Schema     `json:"predict_schema"`
	// Domain is the whole merged domain. It comes last, being long.
	Domain json.RawMessage `json:"domain"`
}

// Seal sets the model's id: the first 32 hexadecimal digits of the SHA-256 of its
// contents.
func (m *Model) Seal() error {
	m.Format, m.ModelID = Format, ""
	metadata, err := json.Marshal(m.Metadata)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	h := sha256.New()
	part := func(name string, data []byte) {
		fmt.Fprintf(h, "%d %s %d\n", len(name), name, len(data))
		h.Write(data)
	}
	part(metadataName, metadata)
	for _, f := range m.files() {
		part(f.name, f.data)
	}
	m.ModelID = hex.EncodeToString(h.Sum(nil))[:32]
	return nil
}

// file is one file of the archive.
type file struct {
	name string
	data []byte
}

// files lists what the nodes kept, in the order of the archive.
func (m *Model) files() []file {
	var out []file
	for _, node := range slices.Sorted(maps.Keys(m.Resources)) {
		r := m.Resources[node]
		for _, name := range slices.Sorted(maps.Keys(r)) {
			out = append(out, file{componentsDir + "/" + node + "/" + name, r[name]})
		}
	}
	return out
}
