package diet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/diet"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/languagemodel"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

var quiet = slog.New(slog.DiscardHandler)

// examples reads lines like "order: fly to [Rome]{"entity": "city"}".
func examples(t testing.TB, lines ...string) []nludata.Example {
	t.Helper()
	var out []nludata.Example
	for _, line := range lines {
		intent, annotated, _ := strings.Cut(line, ": ")
		text, entities, err := nludata.ParseAnnotated(annotated)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, nludata.Example{Text: text, Intent: intent, Entities: entities})
	}
	return out
}

// bot is a tokenizer, two featurizers and a DIETClassifier.
type bot struct {
	before []nlu.Processor
	data   *nlu.TrainingData // as DIETClassifier gets it
	*diet.Classifier
}

func configured(of graph.Type, set graph.Config) graph.Config {
	c := maps.Clone(of.Defaults)
	maps.Copy(c, set)
	return c
}

func dietConfig(set graph.Config) graph.Config {
	c := configured(diet.Type(), graph.Config{"epochs": int64(100)})
	maps.Copy(c, set)
	return c
}

func env(threads int) graph.Env {
	return graph.Env{NodeName: "train_DIETClassifier3", Logger: quiet, Threads: threads}
}

func featurize(t testing.TB, examples []nludata.Example) bot {
	t.Helper()
	return featurizeWith(t, examples, whitespace.Type(), lexicalsyntactic.Type(), countvectors.Type())
}

func featurizeWith(t testing.TB, examples []nludata.Example, before ...graph.Type) bot {
	t.Helper()
	ctx := context.Background()
	b := bot{data: nlu.NewTrainingData(&nludata.TrainingData{Examples: examples}, nlu.Labels{})}
	for i, of := range before {
		component, err := of.Build(graph.Env{NodeName: fmt.Sprint("node", i), Logger: quiet, Threads: 1}, configured(of, nil), nil)
		if err != nil {
			t.Fatal(err)
		}
		if trainer, ok := component.(nlu.Trainer); ok {
			if err := trainer.Train(ctx, b.data); err != nil {
				t.Fatal(err)
			}
		}
		if b.data, err = component.(nlu.TrainingProcessor).ProcessTrainingData(ctx, b.data); err != nil {
			t.Fatal(err)
		}
		b.before = append(b.before, component.(nlu.Processor))
	}
	return b
}

func build(t testing.TB, e graph.Env, set graph.Config, saved graph.Resource) *diet.Classifier {
	t.Helper()
	c, err := diet.Type().Build(e, dietConfig(set), saved)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*diet.Classifier)
}

func train(t testing.TB, set graph.Config, lines ...string) bot {
	t.Helper()
	b := featurize(t, examples(t, lines...))
	b.Classifier = build(t, env(2), set, nil)
	if err := b.Train(context.Background(), b.data); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b bot) parse(t testing.TB, text string) *nlu.Message {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	for _, p := range append(b.before, nlu.Processor(b.Classifier)) {
		if err := p.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// found writes entities as "Rome=city(from/1)".
func found(m *nlu.Message) string {
	var out []string
	for _, e := range m.Entities {
		s := fmt.Sprintf("%v=%s", e.Value, e.Entity)
		if e.Role != "" || e.Group != "" {
			s += "(" + e.Role + "/" + e.Group + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// travel is the small bot whose entities the original was recorded with.
var travel = []string{
	`order: I want to fly from [Berlin]{"entity":"city","role":"from"} to [LA]{"entity":"city","role":"to","value":"Los Angeles"}`,
	`order: fly from [Rome]{"entity":"city","role":"from"} to [Paris]{"entity":"city","role":"to"}`,
	`order: from [Paris]{"entity":"city","role":"from"} to [Berlin]{"entity":"city","role":"to"} please`,
	`order: book a flight to [Rome]{"entity":"city","role":"to"}`,
	`order: a [small]{"entity":"size","group":"1"} coffee and a [large]{"entity":"size","group":"2"} tea`,
	`order: one [large]{"entity":"size","group":"1"} pizza`,
	`order: call me at [5551234](phone)`,
	`order: my number is [5559876](phone)`,
	`greet: hello`,
	`greet: hi there`,
	`greet: good morning`,
	`greet: hey`,
}

func TestSmallBotLearnsEntitiesRolesAndGroups(t *testing.T) {
	b := train(t, nil, travel...)
	for text, want := range map[string]string{
		"I want to fly from Berlin to LA":        "Berlin=city(from/) LA=city(to/)",
		"a small coffee and a large tea":         "small=size(/1) large=size(/2)",
		"call me at 5551234":                     "5551234=phone",
		"hello":                                  "",
		"fly from Oslo to Lima":                  "Oslo=city(from/) Lima=city(to/)", // never seen
		"call me at 3332211":                     "3332211=phone",
		"please book a flight to Madrid":         "Madrid=city(to/)",
		"fly from São Paulo to 東京 please, 😀 now": "",
	} {
		m := b.parse(t, text)
		if got := found(m); got != want && want != "" {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
		runes := []rune(text)
		for _, e := range m.Entities {
			if string(runes[e.Start:e.End]) != e.Value || e.Extractor != "DIETClassifier" || *e.ConfidenceEntity < 0 || *e.ConfidenceEntity > 1.0001 {
				t.Errorf("%q: %+v", text, e)
			}
			if (e.Role != "") != (e.ConfidenceRole != nil) || (e.Group != "") != (e.ConfidenceGroup != nil) {
				t.Errorf("%q: confidences of %+v", text, e)
			}
		}
	}
}

func TestLongMessage(t *testing.T) {
	b := train(t, nil, travel...)
	const times = 400
	m := b.parse(t, strings.Repeat("fly from Rome to Paris ", times))
	if len(m.Entities) < times || m.Entities[len(m.Entities)-1].Value != "Paris" || m.Intent.Name != "order" {
		t.Errorf("%d entities, %v", len(m.Entities), m.Intent)
	}
}

var mood = []string{
	"greet: hey", "greet: hello", "greet: hi", "greet: good morning", "greet: good evening", "greet: hey there",
	"goodbye: bye", "goodbye: good bye", "goodbye: see you later", "goodbye: see you around", "goodbye: cu",
	"affirm: yes", "affirm: indeed", "affirm: of course", "affirm: that sounds good", "affirm: correct",
	"deny: no", "deny: never", "deny: I don't think so", "deny: don't like that", "deny: no way",
	"mood_great: perfect", "mood_great: very good", "mood_great: great", "mood_great: amazing", "mood_great: I am feeling very good",
	"mood_unhappy: sad", "mood_unhappy: very sad", "mood_unhappy: unhappy", "mood_unhappy: bad", "mood_unhappy: not very good", "mood_unhappy: so so",
	"bot_challenge: are you a bot?", "bot_challenge: are you a human?", "bot_challenge: am I talking to a bot?",
}

func TestSmallBotIsSureOfWhatItKnowsAndOfNothingElse(t *testing.T) {
	b := train(t, nil, mood...)
	for _, line := range mood {
		intent, text, _ := strings.Cut(line, ": ")
		m := b.parse(t, text)
		if m.Intent.Name != intent || m.Intent.Confidence < 0.5 || m.Intent.Confidence-m.Ranking[1].Confidence < 0.2 {
			t.Errorf("%q: %v, then %v", text, m.Ranking[0], m.Ranking[1])
		}
	}
	for _, text := range []string{"zzz qqq www", "quantum chromodynamics lecture", "qwertyuiop"} {
		if m := b.parse(t, text); m.Intent.Confidence > 0.3 {
			t.Errorf("%q: %v", text, *m.Intent)
		}
	}
	if m := b.parse(t, "hey"); len(m.Ranking) != 7 || m.Ranking[0] != *m.Intent || len(m.Entities) != 0 {
		t.Errorf("ranking %v, entities %v", m.Ranking, m.Entities)
	}
}

func TestRankingSettings(t *testing.T) {
	m := train(t, graph.Config{"ranking_length": int64(2), "renormalize_confidences": true}, mood...).parse(t, "good")
	if sum := m.Ranking[0].Confidence + m.Ranking[1].Confidence; len(m.Ranking) != 2 || sum < 0.9999 || sum > 1.0001 || m.Intent.Confidence != m.Ranking[0].Confidence {
		t.Errorf("renormalised ranking %v, intent %v", m.Ranking, m.Intent)
	}
	m = train(t, graph.Config{"ranking_length": int64(0)}, mood...).parse(t, "good")
	if len(m.Ranking) != 7 {
		t.Errorf("%d of 7 intents", len(m.Ranking))
	}
}

func TestSwitches(t *testing.T) {
	m := train(t, graph.Config{"entity_recognition": false}, travel...).parse(t, "fly from Rome to Paris")
	if m.Intent.Name != "order" || len(m.Entities) != 0 {
		t.Errorf("without entities: %+v %v", m.Intent, m.Entities)
	}
	m = train(t, graph.Config{"intent_classification": false}, travel...).parse(t, "fly from Rome to Paris")
	if m.Intent != nil || m.Ranking != nil || found(m) != "Rome=city(from/) Paris=city(to/)" {
		t.Errorf("without intents: %+v %s", m.Intent, found(m))
	}
	m = train(t, graph.Config{"BILOU_flag": false}, travel...).parse(t, "fly from Rome to Paris")
	if found(m) != "Rome=city(from/) Paris=city(to/)" {
		t.Errorf("without BILOU: %s", found(m))
	}
	m = train(t, graph.Config{"featurizers": []any{"node2"}}, travel...).parse(t, "hello")
	if m.Intent.Name != "greet" {
		t.Errorf("with one featurizer: %+v", m.Intent)
	}
}

func TestTooFewIntentsAreNotLearned(t *testing.T) {
	for name, lines := range map[string][]string{
		"one intent":  {"greet: hello", "greet: hi [Bob](name)"},
		"no examples": nil,
	} {
		m := train(t, nil, lines...).parse(t, "hello")
		if *m.Intent != (nlu.Intent{}) || m.Ranking == nil || len(m.Ranking) != 0 || m.Entities != nil {
			t.Errorf("%s: %+v %#v %v", name, m.Intent, m.Ranking, m.Entities)
		}
	}
	// The original classifies an empty text like any other, and so do we.
	if m := train(t, nil, mood...).parse(t, ""); m.Intent.Confidence > 0.5 || len(m.Ranking) != 7 {
		t.Errorf("empty text: %+v", m.Intent)
	}
}

// liking has two kinds of entities that stand in the same places and look the same.
var liking = []string{
	`like: i like [apples](fruit)`, `like: i like [dogs](animal)`, `like: we like [pears](fruit)`, `like: we like [cats](animal)`,
	`like: do you like [grapes](fruit)`, `like: do you like [horses](animal)`, `like: she likes [oranges](fruit)`, `like: she likes [cows](animal)`,
	`like: who likes [plums](fruit)`, `like: who likes [sheep](animal)`, `like: they like [cherries](fruit)`, `like: they like [tigers](animal)`,
	`greet: hello`, `greet: good morning`,
}

// With vectors of tokens, a word that was never seen is of the kind of those that mean
// something like it.
func TestVectorsOfTokensTellEntitiesApart(t *testing.T) {
	unseen := map[string]string{
		"i like bananas": "bananas=fruit", "we like lions": "lions=animal", "who likes peaches": "peaches=fruit",
		"do you like rabbits": "rabbits=animal", "they like mangos": "mangos=fruit", "she likes goats": "goats=animal",
	}
	before := []graph.Type{whitespace.Type(), lexicalsyntactic.Type(), countvectors.Type(), languagemodel.Type()}
	b := featurizeWith(t, examples(t, liking...), before...)
	var saved []graph.Resource
	for _, threads := range []int{1, 2} {
		b.Classifier = build(t, env(threads), nil, nil)
		if err := b.Train(context.Background(), b.data); err != nil {
			t.Fatal(err)
		}
		r, err := b.Persist()
		if err != nil {
			t.Fatal(err)
		}
		saved = append(saved, r)
	}
	if !bytes.Equal(saved[0]["diet.bin"], saved[1]["diet.bin"]) {
		t.Error("one thread and two threads learn different weights")
	}
	b.Classifier = build(t, env(1), nil, saved[0])
	for text, want := range unseen {
		if got := found(b.parse(t, text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestLoadedModelAnswersTheSame(t *testing.T) {
	b := train(t, nil, travel...)
	saved, err := b.Persist()
	if err != nil {
		t.Fatal(err)
	}
	loaded := b
	loaded.Classifier = build(t, env(1), nil, saved)
	for _, text := range []string{"fly from Rome to Oslo", "hey", "a small tea", "something else"} {
		if d := cmp.Diff(b.parse(t, text).ParseResult(), loaded.parse(t, text).ParseResult()); d != "" {
			t.Errorf("%q (-trained +loaded):\n%s", text, d)
		}
	}
}

func TestThreadsDoNotChangeTheModel(t *testing.T) {
	b := featurize(t, examples(t, travel...))
	bytesOf := func(threads int) []byte {
		c := build(t, env(threads), nil, nil)
		if err := c.Train(context.Background(), b.data); err != nil {
			t.Fatal(err)
		}
		saved, err := c.Persist()
		if err != nil {
			t.Fatal(err)
		}
		return saved["diet.bin"]
	}
	if !bytes.Equal(bytesOf(1), bytesOf(2)) {
		t.Error("one thread and two threads learn different weights")
	}
}

func TestFineTuningGoesOnFromTheOldWeights(t *testing.T) {
	old := train(t, nil, travel...)
	saved, err := old.Persist()
	if err != nil {
		t.Fatal(err)
	}
	one := graph.Config{"epochs": int64(1)}
	grown := featurize(t, examples(t, append(travel, "greet: salut mes amis", `order: fly to [Oslo]{"entity":"city","role":"to"}`)...))

	tuning := env(1)
	tuning.Finetuning = true
	tuned, fresh := build(t, tuning, one, saved), build(t, env(1), one, nil)
	for _, c := range []*diet.Classifier{tuned, fresh} {
		if err := c.Train(context.Background(), grown.data); err != nil {
			t.Fatal(err)
		}
	}
	tunedIntent, tunedEntity := tuned.Loss()
	freshIntent, freshEntity := fresh.Loss()
	if tunedIntent >= freshIntent || tunedEntity >= freshEntity {
		t.Errorf("losses after one epoch: %v and %v fine-tuned, %v and %v from scratch", tunedIntent, tunedEntity, freshIntent, freshEntity)
	}

	other := featurize(t, examples(t, append(travel, "bye: see you")...))
	if err := build(t, tuning, one, saved).Train(context.Background(), other.data); err == nil {
		t.Error("fine-tuning with another intent is not refused")
	}
}

func TestCancelledTrainingStops(t *testing.T) {
	b := featurize(t, examples(t, travel...))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := build(t, env(1), nil, nil).Train(ctx, b.data); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestSettingsWithoutEffectAreReportedOnce(t *testing.T) {
	var log bytes.Buffer
	e := env(1)
	e.Logger = slog.New(slog.NewTextHandler(&log, nil))
	b := featurize(t, examples(t, travel...))
	c := build(t, e, graph.Config{"transformer_size": int64(32), "learning_rate": 0.001, "batch_size": []any{int64(8), int64(8)}}, nil)
	if err := c.Train(context.Background(), b.data); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "settings without effect"); n != 1 || !strings.Contains(log.String(), `settings="[batch_size transformer_size]"`) {
		t.Errorf("log:\n%s", log.String())
	}
}

func TestSettingsWithoutEffectAreDocumented(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join(sharedtest.ModuleRoot(t), "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "## Settings without effect")
	section, _, _ = strings.Cut(section, "\n## ")
	for _, name := range diet.WithoutEffect() {
		if !strings.Contains(section, "`"+name+"`") {
			t.Errorf("docs/compatibility.md does not list %s as without effect", name)
		}
	}
}

func TestDefaultsAreRasas(t *testing.T) {
	data, err := os.ReadFile(sharedtest.Dir(t, "data", "golden", "project") + "/component_defaults.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Components map[string]struct {
			DefaultConfig map[string]any `json:"default_config"`
		} `json:"components"`
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	ours, err := json.Marshal(diet.Type().Defaults)
	if err != nil {
		t.Fatal(err)
	}
	var plain map[string]any
	if err := json.Unmarshal(ours, &plain); err != nil {
		t.Fatal(err)
	}
	if want := golden.Components["DIETClassifier"].DefaultConfig; !reflect.DeepEqual(want, plain) {
		t.Errorf("(-Rasa +ours):\n%s", cmp.Diff(want, plain))
	}
}

func TestWrongSettings(t *testing.T) {
	for _, c := range []struct {
		set   graph.Config
		wrong int
	}{
		{nil, 0},
		{graph.Config{"loss_type": "margin", "similarity_type": "cosine"}, 0},
		{graph.Config{"model_confidence": "cosine"}, 1},
		{graph.Config{"model_confidence": "inner"}, 1},
		{graph.Config{"similarity_type": "cosine"}, 1},
		{graph.Config{"use_masked_language_model": true, "number_of_transformer_layers": int64(0)}, 1},
		{graph.Config{"share_hidden_layers": true, "hidden_layers_sizes": map[string]any{"text": []any{int64(8)}, "label": []any{}}}, 1},
		{graph.Config{"epochs": int64(0), "ranking_length": int64(-1), "batch_strategy": "odd", "loss_type": "odd"}, 4},
		{graph.Config{"epochs": "many"}, 1},
		{graph.Config{"split_entities_by_comma": "sometimes"}, 1},
		{graph.Config{"split_entities_by_comma": map[string]any{"city": false}}, 0},
	} {
		if errs := diet.Type().Check(dietConfig(c.set)); len(errs) != c.wrong {
			t.Errorf("%v: %v, want %d errors", c.set, errs, c.wrong)
		}
	}
}

func FuzzLoad(f *testing.F) {
	saved, err := train(f, nil, travel...).Persist()
	if err != nil {
		f.Fatal(err)
	}
	whole := saved["diet.bin"]
	f.Add(whole)
	f.Add(whole[:len(whole)/2])
	b := featurize(f, examples(f, travel...))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := diet.Type().Build(env(1), dietConfig(nil), graph.Resource{"diet.bin": data})
		if err != nil {
			if !errors.Is(err, weights.ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		b := b
		b.Classifier = c.(*diet.Classifier)
		b.parse(t, "fly from Rome to Oslo") // whatever was loaded must not panic
	})
}

// The memory that a message takes must not grow with the square of its length:
// anybody may send one of 100,000 characters.
func TestLongMessagesTakeLittle(t *testing.T) {
	b := train(t, graph.Config{"epochs": int64(5)}, travel...)
	before := new(runtime.MemStats)
	runtime.ReadMemStats(before)
	m := b.parse(t, strings.Repeat("fly to Rome ", 8_000))
	after := new(runtime.MemStats)
	runtime.ReadMemStats(after)
	if n := len(m.Tokens[nlu.Text]); n != 24_000 {
		t.Errorf("%d tokens", n)
	}
	if mb := (after.TotalAlloc - before.TotalAlloc) >> 20; mb > 500 {
		t.Errorf("took %d MB", mb)
	}
}
