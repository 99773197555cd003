package languagemodel

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/graph/dircache"
	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/sentence/minilm"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

func build(t *testing.T, cache graph.Cache, set graph.Config) *Featurizer {
	t.Helper()
	typ := Type()
	env := graph.Env{NodeName: "run_LanguageModelFeaturizer1", Logger: slog.New(slog.DiscardHandler), Threads: 2, Cache: cache}
	c, err := typ.Build(env, graph.Merged(typ.Defaults, set), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*Featurizer)
}

func data(texts ...string) *nlu.TrainingData {
	source := &nludata.TrainingData{}
	for _, text := range texts {
		source.Examples = append(source.Examples, nludata.Example{Text: text, Intent: "check_balance"})
	}
	return nlu.NewTrainingData(source, nlu.Labels{Intents: []string{"greet"}})
}

func vectorOf(t *testing.T, m *nlu.Message, a nlu.Attribute) []float32 {
	t.Helper()
	f := m.Select(a, nlu.Sentence, nil)
	if len(f) != 1 || len(f[0].Dense) != 1 {
		t.Fatalf("%d features of %v", len(f), a)
	}
	return f[0].Dense[0]
}

func TestTextsAndNamesGetVectors(t *testing.T) {
	f := build(t, nil, graph.Config{"alias": "meaning"})
	given := data("how much money have i got", "what is left in my account")
	out, err := f.ProcessTrainingData(context.Background(), given)
	if err != nil {
		t.Fatal(err)
	}
	if len(given.Messages[0].Features) > 0 {
		t.Error("the data that was given has changed")
	}
	v := vectorOf(t, out.Messages[0], nlu.Text)
	if len(v) != layers*384 || out.Messages[0].Features[0].Origin != "meaning" {
		t.Errorf("%d numbers of %q", len(v), out.Messages[0].Features[0].Origin)
	}
	if len(out.Messages[2].Features) > 0 {
		t.Error("the label of a story has features")
	}

	// The same texts have the same vectors when they come as messages, and the name of
	// an intent is its words.
	message := &nlu.Message{}
	message.Values[nlu.Text] = "how much money have i got"
	name := &nlu.Message{}
	name.Values[nlu.Text] = "check balance"
	empty := &nlu.Message{}
	for range 2 { // encoded, and remembered
		for _, m := range []*nlu.Message{message, name, empty} {
			m.Features = nil
		}
		if err := f.Process(context.Background(), []*nlu.Message{message, empty, name}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(vectorOf(t, message, nlu.Text), v) || !slices.Equal(vectorOf(t, name, nlu.Text), vectorOf(t, out.Messages[0], nlu.IntentLabel)) {
			t.Error("vectors differ from those in training")
		}
		if len(empty.Features) > 0 {
			t.Error("a message without a text has features")
		}
	}
}

// counting counts what an entry is asked for and given.
type counting struct {
	graph.Cache
	put []int // bytes
}

func (c *counting) Put(key string, r graph.Resource) error {
	c.put = append(c.put, len(r[storedFile]))
	return c.Cache.Put(key, r)
}

func TestOnlyNewTextsAreEncoded(t *testing.T) {
	dir := t.TempDir()
	cache := &counting{Cache: dircache.New(dir, 1<<30)}
	train := func(cache graph.Cache, texts ...string) []float32 {
		out, err := build(t, cache, nil).ProcessTrainingData(context.Background(), data(texts...))
		if err != nil {
			t.Fatal(err)
		}
		return vectorOf(t, out.Messages[0], nlu.Text)
	}
	const entry = digestSize + 4*layers*384
	fresh := train(nil, "hello there", "good morning")
	steps := []struct {
		texts []string
		want  []int
	}{
		{[]string{"hello there", "good morning"}, []int{3}}, // the name of the intent is the third
		{[]string{"hello there", "good morning"}, nil},
		{[]string{"hello there", "good evening"}, []int{4}}, // what was there stays for a while
		{[]string{"hello there", "good morning", "good evening"}, nil},
	}
	for i, step := range steps {
		cache.put = nil
		if got := train(cache, step.texts...); !slices.Equal(got, fresh) {
			t.Errorf("step %d: the cache changes a vector", i)
		}
		var got []int
		for _, bytes := range cache.put {
			got = append(got, (bytes-4)/entry)
		}
		if !slices.Equal(got, step.want) {
			t.Errorf("step %d: entries of %v vectors were written, want %v", i, got, step.want)
		}
	}

	// A damaged cache is no cache.
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %v, %v", files, err)
	}
	if err := os.Truncate(files[0], 1000); err != nil {
		t.Fatal(err)
	}
	if got := train(cache, "hello there"); !slices.Equal(got, fresh) {
		t.Error("a damaged cache changes a vector")
	}
}

func TestEarlierVectorsStayAsFarAsThereIsRoom(t *testing.T) {
	texts := make([]string, 2*spare)
	vectors := map[string][]float32{}
	for i := range texts {
		texts[i] = fmt.Sprint("text ", i)
		vectors[texts[i]] = []float32{float32(i), 1}
	}
	var none storedVectors
	all := readStored(none.with(texts, vectors, 2), 2)
	if v := all.vector(digestOf(texts[7])); !slices.Equal(v, vectors[texts[7]]) {
		t.Errorf("read %v", v)
	}
	few := readStored(all.with(texts[len(texts)-1:], vectors, 2), 2)
	if len(few.order) != spare+2 {
		t.Errorf("%d vectors are kept for one text, want %d", len(few.order), spare+2)
	}
	for _, bad := range [][]byte{nil, {1}, make([]byte, 100), {3, 0, 0, 0}} {
		if s := readStored(bad, 2); len(s.order) > 0 {
			t.Errorf("%v holds vectors", bad)
		}
	}
}

func TestRecentVectorsAreBounded(t *testing.T) {
	var r recent
	for i := range mostRecent + 10 {
		r.put(fmt.Sprint(i), []float32{float32(i)})
		r.get("5") // in use all the time
	}
	r.put(strings.Repeat("x", longestRecent+1), []float32{1})
	if r.order.Len() != mostRecent || len(r.entries) != mostRecent {
		t.Errorf("%d vectors are kept", r.order.Len())
	}
	if r.get("5") == nil || r.get("6") != nil || r.get(fmt.Sprint(mostRecent)) == nil {
		t.Error("it is not the vectors used last that are kept")
	}
}

func TestWeights(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("encoder", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("packed.bin", []byte("no weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		set           graph.Config
		language      string
		wrong, advice string // parts of what is said
	}{
		{graph.Config{}, "en", "", "model_name: all-MiniLM-L6-v2, which is built in, stands in for rasa/LaBSE"},
		{graph.Config{"model_weights": "all-MiniLM-L6-v2"}, "en-GB", "", ""},
		{graph.Config{"model_weights": "all-MiniLM-L6-v2"}, "de", "", `for English, and the language is "de"`},
		{graph.Config{"model_weights": "bert-base-uncased"}, "en", "", "model_weights: all-MiniLM-L6-v2, which is built in, stands in for bert-base-uncased"},
		{graph.Config{"model_name": "roberta"}, "", "", "stands in for roberta-base"},
		{graph.Config{"model_name": "gpt5"}, "en", `model_name: "gpt5" is not one of bert, camembert, distilbert`, ""},
		{graph.Config{"model_weights": "encoder"}, "de", "config.json", ""},
		{graph.Config{"model_weights": "./elsewhere"}, "en", "elsewhere", ""},
		{graph.Config{"model_weights": "encoder/german"}, "en", "german", ""},
		{graph.Config{"model_weights": "packed.bin"}, "en", "packed.bin: not a file of encoder weights", ""},
		{graph.Config{"model_name": "gpt2", "model_weights": "encoder"}, "en", `model_name: weights are read from the project for "bert"`, ""},
	} {
		typ := Type()
		config := graph.Merged(typ.Defaults, c.set)
		var said []string
		for _, err := range typ.Check(config) {
			said = append(said, err.Error())
		}
		if got := strings.Join(said, "\n"); !strings.Contains(got, c.wrong) || got != "" && c.wrong == "" || len(said) > 1 {
			t.Errorf("%v: got %q, want %q", c.set, got, c.wrong)
		}
		more, advice := typ.Resolve(config, c.language)
		said = nil
		for _, a := range advice {
			said = append(said, a.Setting+": "+a.Message)
		}
		if got := strings.Join(said, "\n"); !strings.Contains(got, c.advice) || got != "" && c.advice == "" {
			t.Errorf("%v: advice %q, want %q", c.set, got, c.advice)
		}
		if c.wrong == "" && (more["weights_sha256"] != minilm.Fingerprint || more["kernel"] != sentence.Arithmetic) {
			t.Errorf("%v: the weights are %v", c.set, more)
		}
	}
}

// A model that was trained with other weights than those that are there is
// refused.
func TestOtherWeightsThanInTraining(t *testing.T) {
	typ := Type()
	for _, set := range []graph.Config{
		{"weights_sha256": strings.Repeat("0", 64)},
		{"model_weights": "./gone", "weights_sha256": strings.Repeat("0", 64)},
	} {
		_, err := typ.Build(graph.Env{}, graph.Merged(typ.Defaults, set), nil)
		if err == nil || !strings.Contains(err.Error(), strings.Repeat("0", 64)) || !strings.Contains(err.Error(), "train again") {
			t.Errorf("%v: got %v", set, err)
		}
	}
}

func TestCancelledTrainingStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := build(t, nil, nil).ProcessTrainingData(ctx, data("hello")); err == nil {
		t.Error("it goes on")
	}
}
