package nlu_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// The encoder of messages writes what encoding their parse result writes.
func TestMessageEncodesAsItsParseResult(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := anyMessage(t)
		got, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		want, err := json.Marshal(m.ParseResult())
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(decoded(t, want), decoded(t, got)); d != "" {
			t.Errorf("%s\n%s", got, d)
		}
	})
}

func decoded(t *rapid.T, data []byte) (v any) {
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return v
}

func anyMessage(t *rapid.T) *nlu.Message {
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", "\xff\x00\"\\\n\u2028<&>", "chitchat"}))
	number := rapid.Float64Range(-1e30, 1e30)
	intent := func() nlu.Intent {
		return nlu.Intent{Name: text.Draw(t, "intent"), Confidence: number.Draw(t, "confidence")}
	}
	m := &nlu.Message{Decided: rapid.Bool().Draw(t, "decided"), RankingHidden: rapid.Bool().Draw(t, "hidden")}
	m.Values[nlu.Text] = text.Draw(t, "text")
	if rapid.Bool().Draw(t, "classified") {
		i := intent()
		m.Intent = &i
		m.Ranking = []nlu.Intent{i, intent()}
	}
	if rapid.Bool().Draw(t, "tokenized") {
		m.Tokens[nlu.Text] = []nlu.Token{{Start: 0, End: 3}, {Start: 4, End: 9}}
	}
	if rapid.Bool().Draw(t, "selected") {
		m.Selector = map[string]any{
			"all_retrieval_intents": []string{"chitchat"},
			"chitchat":              map[string]any{"response": map[string]any{"intent_response_key": "chitchat/" + text.Draw(t, "key")}, "ranking": []any{}},
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "entities") {
		e := nlu.Entity{Entity: text.Draw(t, "entity"), Start: 1, End: 2, Role: text.Draw(t, "role"), Extractor: "X"}
		e.Value = rapid.SampledFrom([]any{nil, "v", int64(3), 2.5, true, []any{"a", nil}, map[string]any{"b": 1.0}}).Draw(t, "value")
		if rapid.Bool().Draw(t, "confident") {
			c := number.Draw(t, "entity confidence")
			e.ConfidenceEntity, e.Processors = &c, []string{"P", "P"}
		}
		if rapid.Bool().Draw(t, "extra") {
			e.Extra = map[string]any{"additional_info": map[string]any{"grain": "day"}, "start": 7.0}
		}
		m.Entities = append(m.Entities, e)
	}
	return m
}

func TestNumbersWithoutJSONAreAnError(t *testing.T) {
	if _, err := json.Marshal(&nlu.Message{Intent: &nlu.Intent{Confidence: math.NaN()}}); err == nil {
		t.Error("NaN was encoded")
	}
}

func BenchmarkMarshalJSON(b *testing.B) {
	m := &nlu.Message{Intent: &nlu.Intent{Name: "book", Confidence: 0.93}}
	m.Values[nlu.Text] = "I'd like to book a table for 2 people at 19:30, please!"
	for i := range 10 {
		m.Ranking = append(m.Ranking, nlu.Intent{Name: "intent_number", Confidence: 0.9 / float64(i+1)})
	}
	for i := range 14 {
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Start: i * 3, End: i*3 + 2})
	}
	c := 0.9
	m.Entities = []nlu.Entity{{Entity: "n", Start: 3, End: 4, Value: "2", Extractor: "DIETClassifier", ConfidenceEntity: &c}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.MarshalJSON(); err != nil {
			b.Fatal(err)
		}
	}
}
