package entitymodel_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/entitymodel"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// message reads an annotated text, whose words are its tokens.
func message(t testing.TB, annotated string) *nlu.Message {
	t.Helper()
	text, entities, err := nludata.ParseAnnotated(annotated)
	if err != nil {
		t.Fatal(err)
	}
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	at := 0
	for word := range strings.SplitSeq(text, " ") {
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word, Start: at, End: at + len(word), Lemma: word})
		at += len(word) + 1
	}
	for _, e := range entities {
		m.Entities = append(m.Entities, nlu.Entity{Entity: e.Entity, Start: e.Start, End: e.End, Role: e.Role, Group: e.Group})
	}
	return m
}

var journeys = []string{
	`from [Rome]{"entity":"city","role":"from"} to [Oslo]{"entity":"city","role":"to"}`,
	`from [Oslo]{"entity":"city","role":"from"} to [Bonn]{"entity":"city","role":"to"}`,
	`to [Bonn]{"entity":"city","role":"to"} from [Rome]{"entity":"city","role":"from"}`,
	`to [New York]{"entity":"city","role":"to"} from [Bonn]{"entity":"city","role":"from"}`,
	`from [Paris]{"entity":"city","role":"from"} to [Rome]{"entity":"city","role":"to"}`,
	`from [Bonn]{"entity":"city","role":"from"} to [Paris]{"entity":"city","role":"to"}`,
	`on foot`,
	`not today`,
	`by [train](means)`,
	`by [plane](means)`,
}

func learn(t testing.TB, o entitymodel.Options, settings entitymodel.Settings, annotated ...string) *entitymodel.Model {
	t.Helper()
	var messages []*nlu.Message
	for _, a := range annotated {
		messages = append(messages, message(t, a))
	}
	o.Epochs, o.Seed = 60, 1
	m, err := entitymodel.Train(t.Context(), messages, settings, o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func entities(t testing.TB, m *entitymodel.Model, text string) []string {
	t.Helper()
	var out []string
	for _, e := range m.Extract(message(t, text), nil, new(entitymodel.Scratch)) {
		out = append(out, fmt.Sprint(e.Entity, " ", e.Role, " ", e.Value, " ", e.Extractor))
	}
	return out
}

func TestEntitiesWithRolesAreFoundAgain(t *testing.T) {
	for _, bilou := range []bool{true, false} {
		settings := entitymodel.Settings{Extractor: "X", BILOU: bilou, CommaSplit: nlu.CommaSplit{Default: true}}
		m := learn(t, entitymodel.Options{}, settings, journeys...)
		for text, want := range map[string][]string{
			"from Bonn to Rome":     {"city from Bonn X", "city to Rome X"},
			"to New York from Bonn": {"city to New York X", "city from Bonn X"},
			"from Bonn to Madrid":   {"city from Bonn X", "city to Madrid X"},
			"by train":              {"means  train X"},
			"on foot":               nil,
			"":                      nil,
		} {
			if diff := cmp.Diff(want, entities(t, m, text)); diff != "" {
				t.Errorf("%q, BILOU %t:\n%s", text, bilou, diff)
			}
		}
	}
}

func TestWithoutEntitiesThereIsNoModel(t *testing.T) {
	if m := learn(t, entitymodel.Options{}, entitymodel.Settings{BILOU: true}, "hello there", "good bye"); m != nil {
		t.Errorf("got %v", m)
	}
}

func TestAModelIsReadAsItWasWritten(t *testing.T) {
	settings := entitymodel.Settings{Extractor: "X", BILOU: true}
	var files [2][]byte
	for i := range files {
		w := weights.NewWriter("test", 1)
		learn(t, entitymodel.Options{Threads: 1 + 2*i}, settings, journeys...).Write(w)
		files[i] = w.Bytes()
	}
	if !bytes.Equal(files[0], files[1]) {
		t.Error("1 and 3 threads learn different bytes")
	}
	r := weights.NewReader(files[0], "test", 1)
	m := entitymodel.Read(r, settings)
	if err := r.Close(); err != nil || r.Err() != nil {
		t.Fatal(err, r.Err())
	}
	if diff := cmp.Diff([]string{"city from Bonn X", "city to Rome X"}, entities(t, m, "from Bonn to Rome")); diff != "" {
		t.Error(diff)
	}
}
