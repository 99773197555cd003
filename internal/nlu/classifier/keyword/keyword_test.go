package keyword_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/keyword"
)

func train(t *testing.T, log *bytes.Buffer, config graph.Config, examples ...[2]string) *keyword.Classifier {
	t.Helper()
	env := graph.Env{NodeName: "train_KeywordIntentClassifier1", Logger: slog.New(slog.NewTextHandler(log, nil))}
	c, err := keyword.Type().Build(env, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := &nlu.TrainingData{}
	for _, e := range examples {
		m := &nlu.Message{}
		m.Values[nlu.Text], m.Values[nlu.IntentLabel] = e[0], e[1]
		data.Messages = append(data.Messages, m)
	}
	if err := c.(nlu.Trainer).Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := c.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	again, err := keyword.Type().Build(env, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	return again.(*keyword.Classifier)
}

func intent(t *testing.T, c *keyword.Classifier, text string) string {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	if err := c.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m.Intent.Name
}

func TestFirstKeywordInOrderWins(t *testing.T) {
	c := train(t, new(bytes.Buffer), nil, [2]string{"c++", "lang"}, [2]string{"flight", "book"}, [2]string{"hello", "greet"})
	for text, want := range map[string]string{
		"hello, a flight": "book", "othello": "", "Hello": "", "ccc": "lang", "hello, ccc": "lang", "": "",
	} {
		if got := intent(t, c, text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Rasa 3.6 fails to train on both.
func TestTroublesomeKeywordsAreTamed(t *testing.T) {
	var log bytes.Buffer
	c := train(t, &log, nil, [2]string{"a", "one"}, [2]string{"a b", "two"}, [2]string{"a c", "three"}, [2]string{"x(", "open"})
	want := []keyword.Keyword{{Text: "a b", Intent: "two"}, {Text: "a c", Intent: "three"}, {Text: "x(", Intent: "open"}}
	if got := c.Keywords(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := intent(t, c, "x(y"); got != "open" {
		t.Errorf("got %q for the literal keyword", got)
	}
	for _, part := range []string{"keyword=a", "keyword=x("} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no warning with %s in %s", part, log.String())
		}
	}
}

func TestKeywordsThatDifferInCaseExcludeEachOther(t *testing.T) {
	c := train(t, new(bytes.Buffer), graph.Config{"case_sensitive": false}, [2]string{"BYE", "goodbye"}, [2]string{"bye", "farewell"}, [2]string{"Hi", "greet"})
	if got := c.Keywords(); len(got) != 1 || intent(t, c, "HI") != "greet" {
		t.Errorf("got %v", got)
	}
}

// As Rasa 3.6.21 does it: what was a keyword stays one.
func TestFineTuningKeepsKeywords(t *testing.T) {
	var log bytes.Buffer
	c := train(t, &log, nil, [2]string{"hello", "greet"}, [2]string{"bye", "leave"})
	data := &nlu.TrainingData{}
	for _, e := range [][2]string{{"howdy", "greet"}, {"bye", "leave"}} {
		m := &nlu.Message{}
		m.Values[nlu.Text], m.Values[nlu.IntentLabel] = e[0], e[1]
		data.Messages = append(data.Messages, m)
	}
	if err := c.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{"hello you": "greet", "howdy": "greet", "bye": "leave"} {
		if got := intent(t, c, text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// A keyword that backtracks for ever costs its time limit, on the text of a
// message as on the keywords of other intents, and the log names it.
func TestCatastrophicKeywordIsStopped(t *testing.T) {
	const bad = `^(a+a?)*(?=!)$`
	var log bytes.Buffer
	examples := [][2]string{{bad, "bad"}}
	for i := range 100 {
		examples = append(examples, [2]string{strings.Repeat("a", 30+i), "good"})
	}
	c := train(t, &log, nil, examples...)
	if got := intent(t, c, strings.Repeat("a", 40)); got != "good" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(log.String(), "^(a+a?)*(?=!)$") {
		t.Errorf("the log does not name the keyword: %s", log.String())
	}
}
