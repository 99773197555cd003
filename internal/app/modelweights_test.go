package app_test

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/model"
)

// writeEncoder writes the smallest encoder that there can be, with weights of zero.
func writeEncoder(t *testing.T, folder string) {
	t.Helper()
	const h = 4
	shapes := map[string][]int{
		"embeddings.word_embeddings.weight": {5, h}, "embeddings.position_embeddings.weight": {8, h},
		"embeddings.token_type_embeddings.weight": {2, h},
		"embeddings.LayerNorm.weight":             {h}, "embeddings.LayerNorm.bias": {h},
	}
	for _, name := range []string{
		"attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense", "intermediate.dense", "output.dense",
	} {
		shapes["encoder.layer.0."+name+".weight"], shapes["encoder.layer.0."+name+".bias"] = []int{h, h}, []int{h}
	}
	for _, name := range []string{"attention.output.LayerNorm", "output.LayerNorm"} {
		shapes["encoder.layer.0."+name+".weight"], shapes["encoder.layer.0."+name+".bias"] = []int{h}, []int{h}
	}
	header, size := map[string]any{}, 0
	for name, shape := range shapes {
		from, bytes := size, 4
		for _, n := range shape {
			bytes *= n
		}
		size += bytes
		header[name] = map[string]any{"dtype": "F32", "shape": shape, "data_offsets": []int{from, size}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"config.json": []byte(`{"model_type": "bert", "hidden_act": "gelu", "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 1,
			"intermediate_size": 4, "max_position_embeddings": 8, "type_vocab_size": 2, "vocab_size": 5, "layer_norm_eps": 1e-12}`),
		"vocab.txt":         []byte("[PAD]\n[UNK]\n[CLS]\n[SEP]\nhi\n"),
		"model.safetensors": slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, make([]byte, size)),
	} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// What pack prints can be compared with the file, and with the models that were
// trained with it.
func TestChecksumsOfPackedWeights(t *testing.T) {
	trainBot(t)
	writeEncoder(t, "encoder")
	packed, err := app.PackModelWeights("encoder", "weights.bin", "small")
	if err != nil {
		t.Fatal(err)
	}
	file := sha256.Sum256([]byte(readText(t, "weights.bin")))
	if packed.File != hex.EncodeToString(file[:]) {
		t.Errorf("%s is the checksum of no file", packed.File)
	}
	config := "assistant_id: x\nlanguage: en\npolicies: []\npipeline:\n- name: WhitespaceTokenizer\n- name: LanguageModelFeaturizer\n  model_weights: weights.bin\n"
	if err := os.WriteFile("config.yml", []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	trained, err := app.Train(t.Context(), app.TrainOptions{
		Part: app.TrainNLU, Paths: app.ProjectPaths{Config: "config.yml", Domain: "domain.yml", Data: []string{"data"}}, Out: "models", Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Read(trained.ModelPath)
	if err != nil {
		t.Fatal(err)
	}
	metadata, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(metadata), `"weights_sha256":"`+packed.Weights+`"`) {
		t.Errorf("the model does not name %s:\n%s", packed.Weights, metadata)
	}
}
