package crfentity_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/crfentity"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// examples reads texts with annotated entities.
func examples(t testing.TB, annotated ...string) *nlu.TrainingData {
	t.Helper()
	source := &nludata.TrainingData{}
	for _, a := range annotated {
		text, entities, err := nludata.ParseAnnotated(a)
		if err != nil {
			t.Fatal(err)
		}
		source.Examples = append(source.Examples, nludata.Example{Text: text, Intent: "travel", Entities: entities})
	}
	data := nlu.NewTrainingData(source, nlu.Labels{})
	for _, m := range data.Messages {
		m.Tokens[nlu.Text] = whitespace.Split(m.Values[nlu.Text])
	}
	return data
}

// journeys name two cities each, with roles, and who goes, in groups.
func journeys(t testing.TB) *nlu.TrainingData {
	var texts []string
	for i, city := range []string{"Berlin", "Rome", "New York", "São Paulo", "Köln", "Los Angeles"} {
		other := []string{"Paris", "Tokio", "San Marino"}[i%3]
		texts = append(texts,
			fmt.Sprintf(`a train from [%s]{"entity": "city", "role": "from"} to [%s]{"entity": "city", "role": "to"}`, city, other),
			fmt.Sprintf(`to [%s]{"entity": "city", "role": "to"} please`, city),
			fmt.Sprintf(`I was in [%s](city)`, city),
			`one [child]{"entity": "who", "group": "1"} and two [adults]{"entity": "who", "group": "2"}`,
			`good morning everybody`)
	}
	return examples(t, texts...)
}

func build(t testing.TB, config graph.Config, env graph.Env, saved graph.Resource) *crfentity.Extractor {
	t.Helper()
	env.NodeName = "train_CRFEntityExtractor1"
	if env.Logger == nil {
		env.Logger = slog.New(slog.DiscardHandler)
	}
	c, err := crfentity.Type().Build(env, graph.Merged(crfentity.Type().Defaults, config), saved)
	if err != nil {
		t.Fatal(err)
	}
	return c.(*crfentity.Extractor)
}

func persist(t testing.TB, e *crfentity.Extractor) graph.Resource {
	t.Helper()
	saved, err := e.Persist()
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// trained is made anew from what the trained one keeps.
func trained(t testing.TB, config graph.Config, data *nlu.TrainingData) *crfentity.Extractor {
	t.Helper()
	e := build(t, config, graph.Env{Threads: 2}, nil)
	if err := e.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	return build(t, config, graph.Env{}, persist(t, e))
}

func parse(t testing.TB, e *crfentity.Extractor, text string) []nlu.Entity {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = whitespace.Split(text)
	if err := e.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m.Entities
}

var withoutConfidence = cmpopts.IgnoreFields(nlu.Entity{}, "ConfidenceEntity", "ConfidenceRole", "ConfidenceGroup")

func TestFindsEntitiesWithRolesAndGroups(t *testing.T) {
	e := trained(t, nil, journeys(t))
	const name = "CRFEntityExtractor"
	for text, want := range map[string][]nlu.Entity{
		"a train from São Bento to Köln": {
			{Entity: "city", Role: "from", Start: 13, End: 22, Value: "São Bento", Extractor: name},
			{Entity: "city", Role: "to", Start: 26, End: 30, Value: "Köln", Extractor: name},
		},
		"I was in Rome": {{Entity: "city", Start: 9, End: 13, Value: "Rome", Extractor: name}},
		"one child and two adults": {
			{Entity: "who", Group: "1", Start: 4, End: 9, Value: "child", Extractor: name},
			{Entity: "who", Group: "2", Start: 18, End: 24, Value: "adults", Extractor: name},
		},
		"good morning": nil,
		"":             nil,
	} {
		got := parse(t, e, text)
		if d := cmp.Diff(want, got, withoutConfidence, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("%q: (-want +got):\n%s", text, d)
		}
		for _, found := range got {
			if found.ConfidenceEntity == nil || *found.ConfidenceEntity <= 0.5 || *found.ConfidenceEntity > 1 {
				t.Errorf("%q: confidence of %s: %v", text, found.Entity, found.ConfidenceEntity)
			}
			if (found.ConfidenceRole != nil) != (found.Role != "") || (found.ConfidenceGroup != nil) != (found.Group != "") {
				t.Errorf("%q: %+v has a confidence without a label, or a label without a confidence", text, found)
			}
		}
	}
}

func TestEntitiesAreAddedToThoseOfOthers(t *testing.T) {
	e := trained(t, nil, journeys(t))
	m := &nlu.Message{Entities: []nlu.Entity{{Entity: "city", Start: 9, End: 13, Extractor: "DIETClassifier"}}}
	m.Values[nlu.Text] = "I was in Rome"
	m.Tokens[nlu.Text] = whitespace.Split(m.Values[nlu.Text])
	if err := e.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	if len(m.Entities) != 2 || m.Entities[0].Extractor != "DIETClassifier" || m.Entities[1].Extractor != "CRFEntityExtractor" {
		t.Errorf("got %+v", m.Entities)
	}
}

func TestCommasSplitEntitiesUnlessToldOtherwise(t *testing.T) {
	var texts []string
	for _, list := range []string{"milk", "milk, bread", "eggs", "eggs, milk, bread"} {
		texts = append(texts, "buy ["+list+"](goods) now", "get [red, blue](colour) paint")
	}
	data := examples(t, texts...)
	for name, c := range map[string]struct {
		split any
		want  []string
	}{
		"all":        {true, []string{"eggs", "milk"}},
		"none":       {false, []string{"eggs, milk"}},
		"not goods":  {map[string]any{"goods": false}, []string{"eggs, milk"}},
		"not colour": {map[string]any{"colour": false}, []string{"eggs", "milk"}},
	} {
		t.Run(name, func(t *testing.T) {
			e := trained(t, graph.Config{"split_entities_by_comma": c.split, "L1_c": 0.0, "L2_c": 0.01}, data)
			var got []string
			for _, found := range parse(t, e, "buy eggs, milk now") {
				got = append(got, found.Value.(string))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestWithoutBILOU(t *testing.T) {
	e := trained(t, graph.Config{"BILOU_flag": false}, journeys(t))
	want := []nlu.Entity{{Entity: "city", Role: "to", Start: 3, End: 14, Value: "Los Angeles", Extractor: "CRFEntityExtractor"}}
	if d := cmp.Diff(want, parse(t, e, "to Los Angeles please"), withoutConfidence); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// A window that sees nothing but the word can tell nothing from a word that
// training never saw; one that sees how it is written can.
func TestFeaturesAreWhatTheFieldSees(t *testing.T) {
	data := examples(t, "[Rome](city)", "[Paris](city)", "[Oslo](city)", "hello", "bye", "now", "then", "thanks", "please")
	words := trained(t, graph.Config{"features": []any{[]any{"low", "bias"}}}, data)
	if got := parse(t, words, "Lisbon"); len(got) > 0 {
		t.Errorf("found %+v by the word alone", got)
	}
	if got := parse(t, words, "ROME"); len(got) != 1 {
		t.Errorf("found %+v, want ROME", got)
	}
	letters := trained(t, graph.Config{"features": []any{[]any{"title", "bias"}}}, data)
	if got := parse(t, letters, "Lisbon"); len(got) != 1 {
		t.Errorf("found %+v, want Lisbon", got)
	}
}

func TestDenseFeaturesOfWordsCount(t *testing.T) {
	data := examples(t, "[bb](x)", "aa", "[dd](x)", "cc", "ee", "ff", "gg", "hh")
	vectors := func(m *nlu.Message, origin string) {
		f := nlu.Features{Attribute: nlu.Text, Level: nlu.Sequence, Origin: origin}
		for _, token := range m.Tokens[nlu.Text] {
			v := []float32{0, 1}
			if strings.Contains("bb dd zz", token.Text) {
				v = []float32{1, 0}
			}
			f.Dense = append(f.Dense, v)
		}
		m.Features = append(m.Features, f)
	}
	for _, m := range data.Messages {
		vectors(m, "encoder")
	}
	find := func(config graph.Config) int {
		config["features"] = []any{[]any{"text_dense_features"}}
		e := trained(t, config, data)
		m := &nlu.Message{}
		m.Values[nlu.Text] = "zz"
		m.Tokens[nlu.Text] = whitespace.Split("zz")
		vectors(m, "encoder")
		if err := e.Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		return len(m.Entities)
	}
	if n := find(graph.Config{}); n != 1 {
		t.Errorf("%d entities, want zz", n)
	}
	if n := find(graph.Config{"featurizers": []any{"another"}}); n != 0 {
		t.Errorf("%d entities from features that were not to be used", n)
	}
}

func TestMissingDenseFeaturesAreReported(t *testing.T) {
	var log bytes.Buffer
	e := build(t, graph.Config{"features": []any{[]any{"low", "text_dense_features"}}},
		graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	if err := e.Train(context.Background(), examples(t, "in [Rome](city)")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "text_dense_features") {
		t.Errorf("logged %q", log.String())
	}
}

func TestUnknownFeaturesAreReportedAndLeftOut(t *testing.T) {
	var log bytes.Buffer
	e := build(t, graph.Config{"features": []any{[]any{"low", "word3"}}}, graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil)
	if err := e.Train(context.Background(), examples(t, "[Rome](city)", "hello")); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, e, "rome"); len(got) != 1 || strings.Count(log.String(), "word3") != 1 {
		t.Errorf("found %+v, logged %q", got, log.String())
	}
}

func TestPartsOfSpeechNeedATokenizerThatKnowsThem(t *testing.T) {
	config := graph.Config{"features": []any{[]any{"pos", "pos2"}}}
	data := examples(t, "in [Rome](city)", "hello there")
	e := build(t, config, graph.Env{}, nil)
	if err := e.Train(context.Background(), data); err == nil {
		t.Error("trained without parts of speech")
	}
	for _, m := range data.Messages {
		for i := range m.Tokens[nlu.Text] {
			m.Tokens[nlu.Text][i].POS = "PROPN"
		}
	}
	if err := e.Train(context.Background(), data); err != nil {
		t.Error(err)
	}
}

func TestNothingIsLearnedWithoutEntities(t *testing.T) {
	e := trained(t, nil, examples(t, "hello there", "good bye"))
	if got := parse(t, e, "hello Rome"); got != nil {
		t.Errorf("found %+v", got)
	}
}

func TestSettingsThatCantBeAreRefused(t *testing.T) {
	for name, c := range map[string]graph.Config{
		"no lists":         {"features": []any{}},
		"two lists":        {"features": []any{[]any{"low"}, []any{"low"}}},
		"features as text": {"features": "low"},
		"no iterations":    {"max_iterations": int64(0)},
		"negative L1":      {"L1_c": -0.1},
		"negative L2":      {"L2_c": int64(-1)},
		"comma":            {"split_entities_by_comma": "sometimes"},
	} {
		if errs := crfentity.Type().Check(graph.Merged(crfentity.Type().Defaults, c)); len(errs) != 1 {
			t.Errorf("%s: got %v, want one error", name, errs)
		}
	}
	if errs := crfentity.Type().Check(maps.Clone(crfentity.Type().Defaults)); len(errs) > 0 {
		t.Errorf("defaults: %v", errs)
	}
}

func TestTheSameBytesOnAnyNumberOfThreadsAndAfterFineTuning(t *testing.T) {
	data := journeys(t)
	var all []graph.Resource
	for _, env := range []graph.Env{{Threads: 1}, {Threads: 3}, {Threads: 2, Finetuning: true}} {
		var saved graph.Resource
		if env.Finetuning {
			saved = all[0]
		}
		e := build(t, nil, env, saved)
		if err := e.Train(context.Background(), data); err != nil {
			t.Fatal(err)
		}
		all = append(all, persist(t, e))
	}
	for i := 1; i < len(all); i++ {
		if !bytes.Equal(all[0]["crf.bin"], all[i]["crf.bin"]) {
			t.Errorf("training %d gave other bytes", i)
		}
	}
}

// A longer text may cost no more allocations than a shorter one, apart from what
// grows with the entities found.
func TestNoAllocationForEachToken(t *testing.T) {
	e := trained(t, nil, journeys(t))
	allocations := func(words int) float64 {
		m := &nlu.Message{}
		m.Values[nlu.Text] = strings.Repeat("Good morning ", words)
		m.Tokens[nlu.Text] = whitespace.Split(m.Values[nlu.Text])
		messages := []*nlu.Message{m}
		return testing.AllocsPerRun(50, func() {
			if err := e.Process(context.Background(), messages); err != nil {
				t.Fatal(err)
			}
		})
	}
	// The race detector makes a sync.Pool forget, which costs some.
	if short, long := allocations(3), allocations(60); long > short+20 {
		t.Errorf("%v allocations for 120 tokens, %v for 6", long, short)
	}
}

func FuzzReading(f *testing.F) {
	e := build(f, graph.Config{"features": []any{[]any{"low"}}}, graph.Env{}, nil) // small, so that changes hit something
	if err := e.Train(context.Background(), examples(f, `to [Rome]{"entity": "city", "role": "to"}`, "hello")); err != nil {
		f.Fatal(err)
	}
	good := persist(f, e)["crf.bin"]
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte("LQW1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := crfentity.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, crfentity.Type().Defaults, graph.Resource{"crf.bin": data})
		if err != nil {
			return
		}
		parse(t, c.(*crfentity.Extractor), "a train from Köln to São Paulo") // must not panic
	})
}

func BenchmarkProcess(b *testing.B) {
	e := trained(b, nil, journeys(b))
	m := &nlu.Message{}
	m.Values[nlu.Text] = "a train from Köln to São Paulo"
	m.Tokens[nlu.Text] = whitespace.Split(m.Values[nlu.Text])
	b.ReportAllocs()
	for b.Loop() {
		m.Entities = nil
		if err := e.Process(context.Background(), []*nlu.Message{m}); err != nil {
			b.Fatal(err)
		}
	}
}
