package sentence

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// published is a small model as somebody would publish it.
type published struct {
	config     map[string]any
	vocabulary string
	shapes     map[string][]int
	values     map[string][]float32
	extra      map[string]string // further files
}

const smallVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\ncat\ndog\n##s\nsleep\n,\n"

// newPublished makes a model with random weights.
func newPublished(hidden, heads, inner, layers int) *published {
	p := &published{
		config: map[string]any{
			"model_type": "bert", "hidden_act": "gelu", "hidden_size": hidden, "num_hidden_layers": layers,
			"num_attention_heads": heads, "intermediate_size": inner, "max_position_embeddings": 300,
			"type_vocab_size": 2, "vocab_size": strings.Count(smallVocabulary, "\n"), "layer_norm_eps": 1e-12,
		},
		vocabulary: smallVocabulary, shapes: map[string][]int{}, values: map[string][]float32{}, extra: map[string]string{},
	}
	r := rand.New(rand.NewPCG(uint64(hidden), 1))
	add := func(name string, mean float64, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(mean + 0.3*r.NormFloat64())
		}
		p.shapes[name], p.values[name] = shape, values
	}
	norm := func(name string) {
		add(name+".weight", 1, hidden)
		add(name+".bias", 0, hidden)
	}
	linear := func(name string, in, out int) {
		add(name+".weight", 0, out, in)
		add(name+".bias", 0, out)
	}
	add("embeddings.word_embeddings.weight", 0, 10, hidden)
	add("embeddings.position_embeddings.weight", 0, 300, hidden)
	add("embeddings.token_type_embeddings.weight", 0, 2, hidden)
	norm("embeddings.LayerNorm")
	for i := range layers {
		name := fmt.Sprintf("encoder.layer.%d.", i)
		linear(name+"attention.self.query", hidden, hidden)
		linear(name+"attention.self.key", hidden, hidden)
		linear(name+"attention.self.value", hidden, hidden)
		linear(name+"attention.output.dense", hidden, hidden)
		norm(name + "attention.output.LayerNorm")
		linear(name+"intermediate.dense", hidden, inner)
		linear(name+"output.dense", inner, hidden)
		norm(name + "output.LayerNorm")
	}
	return p
}

// write writes the folder and returns it.
func (p *published) write(t testing.TB) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "small")
	config, err := json.Marshal(p.config)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"config.json": string(config), "vocab.txt": p.vocabulary, "model.safetensors": string(p.tensors(t, "F32")),
	}
	for name, content := range p.extra {
		files[name] = content
	}
	for name, content := range files {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// tensors is the safetensors file, with numbers of a type.
func (p *published) tensors(t testing.TB, kind string) []byte {
	header := map[string]any{"__metadata__": map[string]string{"format": "pt"}}
	var data []byte
	var names []string
	for name := range p.values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		from := len(data)
		for _, v := range p.values[name] {
			if kind == "BF16" {
				data = binary.LittleEndian.AppendUint16(data, uint16(math.Float32bits(v)>>16))
			} else {
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
			}
		}
		header[name] = map[string]any{"dtype": kind, "shape": p.shapes[name], "data_offsets": []int{from, len(data)}}
	}
	text, err := json.Marshal(header)
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text, data)
}

func TestFoldersThatDoNotFitAreRefused(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *published)
		remove string
		want   []string // parts of the error
	}{
		{"no configuration", nil, "config.json", []string{"config.json", "no such file"}},
		{"no vocabulary", nil, "vocab.txt", []string{"vocab.txt", "no such file"}},
		{"no weights", nil, "model.safetensors", []string{"model.safetensors", "no such file"}},
		{"another architecture", func(p *published) { p.config["model_type"] = "roberta" }, "", []string{"config.json", `"roberta"`}},
		{"another activation", func(p *published) { p.config["hidden_act"] = "relu" }, "", []string{"config.json", "relu"}},
		{"relative positions", func(p *published) { p.config["position_embedding_type"] = "relative_key" }, "", []string{"config.json", "relative_key"}},
		{"heads", func(p *published) { p.config["num_attention_heads"] = 5 }, "", []string{"config.json", "heads"}},
		{"no heads", func(p *published) { delete(p.config, "num_attention_heads") }, "", []string{"config.json", "heads"}},
		{"a giant", func(p *published) { p.config["hidden_size"] = 1 << 30 }, "", []string{"config.json", "at most"}},
		{"words for numbers", func(p *published) { p.config["hidden_size"] = "many" }, "", []string{"config.json", "hidden_size"}},
		{"a longer vocabulary", func(p *published) { p.vocabulary += "bird\n" }, "", []string{"vocab.txt", "11 lines", "10 pieces"}},
		{"a shorter vocabulary", func(p *published) { p.vocabulary = "[CLS]\n[SEP]\n[UNK]\n" }, "", []string{"vocab.txt", "3 lines"}},
		{"no special pieces", func(p *published) { p.vocabulary = strings.Replace(p.vocabulary, "[SEP]", "sep", 1) }, "", []string{"vocab.txt", "[SEP]"}},
		{"a wrong shape", func(p *published) { p.shapes["encoder.layer.1.output.dense.weight"] = []int{24, 24} }, "", []string{"model.safetensors", "encoder.layer.1.output.dense.weight", "[24 24]", "[24 40]"}},
		{"too few numbers", func(p *published) { p.values["embeddings.LayerNorm.bias"] = make([]float32, 3) }, "", []string{"model.safetensors", "embeddings.LayerNorm.bias", "12 bytes"}},
		{"a missing tensor", func(p *published) { delete(p.values, "encoder.layer.0.attention.self.key.bias") }, "", []string{"model.safetensors", "no tensor", "key.bias"}},
		{"no number", func(p *published) { p.values["embeddings.word_embeddings.weight"][7] = float32(math.NaN()) }, "", []string{"model.safetensors", "word_embeddings", "NaN", "place 7"}},
		{"infinity", func(p *published) { p.values["encoder.layer.0.output.dense.bias"][0] = float32(math.Inf(1)) }, "", []string{"model.safetensors", "Inf"}},
		{"no safetensors", func(p *published) { p.extra["model.safetensors"] = "PK\x03\x04 an archive of another kind" }, "", []string{"model.safetensors", "not a safetensors file"}},
		{"nothing", func(p *published) { p.extra["model.safetensors"] = "" }, "", []string{"model.safetensors", "too short"}},
		{"integers", func(p *published) {
			p.extra["model.safetensors"] = strings.ReplaceAll(string(p.tensors(t, "F32")), "F32", "I32")
		}, "", []string{"model.safetensors", "I32"}},
		{"cut off", func(p *published) {
			data := p.tensors(t, "F32")
			p.extra["model.safetensors"] = string(data[:len(data)-9])
		}, "", []string{"model.safetensors", "cut off"}},
		{"another pooling", func(p *published) { p.extra["1_Pooling/config.json"] = `{"pooling_mode_mean_tokens": false}` }, "", []string{"1_Pooling", "mean"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPublished(24, 3, 40, 2)
			if c.change != nil {
				c.change(p)
			}
			folder := p.write(t)
			if c.remove != "" {
				if err := os.Remove(filepath.Join(folder, c.remove)); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Load(folder)
			if err == nil {
				t.Fatal("the folder was accepted")
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
		})
	}
}

// A file that is cut off lacks many tensors. It is one problem, told in the same words
// each time.
func TestTheSameFolderIsRefusedForTheSameReason(t *testing.T) {
	p := newPublished(24, 3, 40, 2)
	data := p.tensors(t, "F32")
	p.extra["model.safetensors"] = string(data[:len(data)/2])
	folder := p.write(t)
	_, want := Load(folder)
	for range 20 {
		if _, err := Load(folder); err == nil || err.Error() != want.Error() {
			t.Fatalf("refused because of %v, then of %v", want, err)
		}
	}
}

func FuzzTensors(f *testing.F) {
	data := newPublished(4, 1, 4, 1).tensors(f, "F32")
	f.Add(data)
	f.Add(data[:100])
	f.Add([]byte("\x20\x00\x00\x00\x00\x00\x00\x00{\"a\":{\"data_offsets\":[9,3]}}    "))
	path := filepath.Join(f.TempDir(), "model.safetensors")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		tensors, err := openTensors(path)
		if err != nil {
			return
		}
		defer tensors.Close()
		for name, entry := range tensors.entries {
			n := 1
			for _, d := range entry.Shape {
				if n *= d; d < 0 || d > 1000 || n > 1000 {
					n = -1
					break
				}
			}
			if n < 0 {
				continue
			}
			if numbers, err := tensors.read(entry.Shape, name); err == nil && len(numbers) != n {
				t.Errorf("%d numbers of shape %v", len(numbers), entry.Shape)
			}
		}
	})
}
