package languagemodel

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
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
	const entry = digestSize + 4 + 4*layers*384
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
			got = append(got, (bytes-8)/entry)
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
	texts := make([]wanted, 2*spare)
	vectors := map[string]encoded{}
	for i := range texts {
		texts[i].text = fmt.Sprint("text ", i)
		e := encoded{text: []float32{float32(i), 1}}
		if i%2 == 1 {
			texts[i].tokens = []nlu.Token{{End: 4}, {Start: 5, End: 6}}
			e.tokens = tokenVectors{[]float32{0.5, 2}, []byte{1, 2, 3, byte(i), 5, 6}}
		}
		vectors[texts[i].text] = e
	}
	var none storedVectors
	data := none.with(texts, vectors, 2, 3)
	all := readStored(data, 2, 3)
	for _, i := range []int{7, 8} {
		if e, ok := all.find(digestOf(texts[i])); !ok || !reflect.DeepEqual(e, vectors[texts[i].text]) {
			t.Errorf("read %v, %v", e, ok)
		}
	}
	if _, ok := all.find(digestOf(wanted{text: texts[7].text})); ok {
		t.Error("a text that is cut into other tokens is taken for the same")
	}
	few := readStored(all.with(texts[len(texts)-1:], vectors, 2, 3), 2, 3)
	if len(few.order) != spare+2 {
		t.Errorf("%d vectors are kept for one text, want %d", len(few.order), spare+2)
	}
	for _, bad := range [][]byte{nil, {1}, make([]byte, 100), {3, 0, 0, 0}, data[:len(data)-1], data[:9]} {
		if s := readStored(bad, 2, 3); len(s.order) > 0 {
			t.Errorf("%d bytes hold vectors", len(bad))
		}
	}
	if s := readStored(data, 2, 4); len(s.order) > 0 {
		t.Error("vectors of another width were read")
	}
}

func TestRecentVectorsAreBounded(t *testing.T) {
	var r recent
	short := func(i int) wanted { return wanted{text: fmt.Sprint(i)} }
	for i := range mostRecent + 10 {
		r.put(short(i), encoded{text: []float32{float32(i)}})
		r.get(short(5)) // in use all the time
	}
	r.put(wanted{text: strings.Repeat("x", longestRecent+1)}, encoded{})
	if r.order.Len() != mostRecent || len(r.entries) != mostRecent {
		t.Errorf("%d vectors are kept", r.order.Len())
	}
	if r.get(short(5)) == nil || r.get(short(6)) != nil || r.get(short(mostRecent)) == nil {
		t.Error("it is not the vectors used last that are kept")
	}

	// What is known of a text may lack its tokens, or be of others.
	tokens := func(ends ...int) (w wanted) {
		w.text = "5"
		for _, end := range ends {
			w.tokens = append(w.tokens, nlu.Token{Start: end - 1, End: end})
		}
		return w
	}
	if r.get(tokens(1)) != nil {
		t.Error("vectors of tokens came from nowhere")
	}
	r.put(tokens(1), encoded{text: []float32{5}})
	if r.get(tokens(1)) == nil || r.get(tokens(2)) != nil || r.get(tokens(1, 2)) != nil || r.get(tokens()) == nil {
		t.Error("vectors of tokens are taken for those of others")
	}

	// Many tokens take room, which has an end, too.
	for i := range 1000 {
		r.put(short(i), encoded{text: make([]float32, 1152), tokens: tokenVectors{make([]float32, 200), make([]byte, 200*384)}})
	}
	if r.bytes > mostRecentBytes || r.order.Len() > mostRecentBytes/(200*384) {
		t.Errorf("%d texts take %d bytes", r.order.Len(), r.bytes)
	}
	for r.order.Len() > 0 {
		r.remove(r.order.Back())
	}
	if r.bytes != 0 || len(r.entries) != 0 {
		t.Errorf("%d bytes of nothing", r.bytes)
	}
}

func TestTokensGetVectorsWhereThereAreEntities(t *testing.T) {
	tokenized := func(entities bool) *nlu.TrainingData {
		d := data("fly to São Paulo, 東京 😀 now", "hello")
		for _, m := range d.Messages {
			start := 0
			for word := range strings.FieldsSeq(m.Values[nlu.Text]) {
				end := start + len([]rune(word))
				m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word, Start: start, End: end})
				start = end + 1
			}
		}
		if entities {
			d.Messages[0].Entities = []nlu.Entity{{Entity: "city", Start: 7, End: 16}}
		}
		return d
	}
	f := build(t, dircache.New(t.TempDir(), 1<<30), nil)
	without, err := f.ProcessTrainingData(context.Background(), tokenized(false))
	if err != nil || len(without.Messages[0].Select(nlu.Text, nlu.Sequence, nil)) > 0 {
		t.Errorf("there are no entities, but vectors of tokens (%v)", err)
	}
	var want [][]float32
	for range 2 { // encoded, and from the cache
		with, err := f.ProcessTrainingData(context.Background(), tokenized(true))
		if err != nil {
			t.Fatal(err)
		}
		features := with.Messages[0].Select(nlu.Text, nlu.Sequence, nil)
		if len(features) != 1 || len(features[0].Dense) != 7 || len(with.Messages[1].Select(nlu.Text, nlu.Sequence, nil)) != 1 {
			t.Fatalf("features of tokens: %v", features)
		}
		if rows := features[0].Dense; want == nil {
			want = rows
		} else if !slices.EqualFunc(rows, want, slices.Equal) {
			t.Error("the cache changes vectors of tokens")
		}
	}

	// They are means of pieces, which are close to those of the encoder.
	e, err := minilm.Open()
	if err != nil {
		t.Fatal(err)
	}
	text := "fly to São Paulo, 東京 😀 now"
	exact, err := e.EncodePieces(context.Background(), []string{text}, 0)
	if err != nil {
		t.Fatal(err)
	}
	byWord := map[string][]int{}
	for i, p := range exact[0].Pieces {
		for word := range strings.FieldsSeq(text) {
			if at := strings.Index(text, word); int(p.Start) >= at && int(p.End) <= at+len(word) {
				byWord[word] = append(byWord[word], i)
			}
		}
	}
	for i, word := range strings.Fields(text) {
		var far, long float64
		for j, v := range want[i] {
			mean := float32(0)
			for _, k := range byWord[word] {
				mean += exact[0].PieceVector(k)[j] / float32(len(byWord[word]))
			}
			far += float64(mean-v) * float64(mean-v)
			long += float64(mean) * float64(mean)
		}
		if len(byWord[word]) == 0 || far > 1e-3*long {
			t.Errorf("%q with %d pieces: the vector is %v off, of %v", word, len(byWord[word]), far, long)
		}
	}

	// A message is seen as in training.
	m := tokenized(false).Messages[0]
	for range 2 { // encoded, and remembered
		m.Features = nil
		if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		if features := m.Select(nlu.Text, nlu.Sequence, nil); len(features) != 1 || !slices.EqualFunc(features[0].Dense, want, slices.Equal) {
			t.Error("a message's tokens have other vectors than in training")
		}
	}
}

// What the encoder doesn't read of a text has vectors, of zeros.
func TestTokensBehindTheEnd(t *testing.T) {
	f := build(t, nil, nil)
	m := &nlu.Message{}
	m.Values[nlu.Text] = strings.Repeat("paris ", 400)
	for i := range 400 {
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: "paris", Start: 6 * i, End: 6*i + 5})
	}
	if err := f.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	rows := m.Select(nlu.Text, nlu.Sequence, nil)[0].Dense
	zero := make([]float32, 384)
	if len(rows) != 400 || slices.Equal(rows[253], zero) || !slices.Equal(rows[254], zero) || !slices.Equal(rows[399], zero) {
		t.Errorf("%d vectors, the last of a piece %.3v, then %.3v", len(rows), rows[253][:3], rows[254][:3])
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
