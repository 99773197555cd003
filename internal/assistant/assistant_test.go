package assistant_test

import (
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/training"
)

// trainStarter trains the starter project and returns the path of the model.
func trainStarter(t testing.TB, part training.Part) string {
	t.Helper()
	run, err := training.Prepare(training.Settings{
		Dir:   filepath.Join(sharedtest.ModuleRoot(t), "examples", "starter"),
		Paths: project.Paths{Config: "config.yml", Domain: []string{"domain.yml"}, Data: []string{"data"}},
		Part:  part, Out: t.TempDir(), Augmentation: 50, Types: app.Catalog(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	trained, err := run.Train(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	m, err := run.Package(trained)
	if err != nil {
		t.Fatal(err)
	}
	return m.Path
}

func load(t testing.TB, path string) *assistant.Assistant {
	t.Helper()
	m, err := model.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := assistant.Load(m, app.Catalog(), nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parse(t testing.TB, a *assistant.Assistant, text string) *nlu.Message {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	if err := a.Parse(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// Nobody may take the memory of the machine with one message.
func TestLongTextsAreUnderstoodByTheirBeginning(t *testing.T) {
	a := load(t, trainStarter(t, training.NLU))
	for _, c := range []struct {
		text string
		want int // where the last token ends
	}{
		{strings.Repeat("ä ", 50_000), 99_999},
		{strings.Repeat("ä ", 50_000) + "bcd", 99_999},
		{strings.Repeat("ä", 99_998) + " bcd", 100_000}, // of bcd, one letter is left
		{"  " + strings.Repeat("ä", 99_998) + " bcd", 100_000},
	} {
		m := parse(t, a, c.text)
		tokens := m.Tokens[nlu.Text]
		if got := tokens[len(tokens)-1].End; got != c.want || m.Values[nlu.Text] != strings.TrimSpace(c.text) {
			t.Errorf("the last token of %d bytes ends at %d, want %d; the text has %d bytes afterwards", len(c.text), got, c.want, len(m.Values[nlu.Text]))
		}
	}
}

func TestALoadedModelUnderstandsAndDecides(t *testing.T) {
	a := load(t, trainStarter(t, training.All))
	if m := parse(t, a, "hello"); m.Intent == nil || m.Intent.Name != "greet" {
		t.Errorf("hello has the intent %+v", m.Intent)
	}
	if m := parse(t, a, "/goodbye"); m.Intent == nil || m.Intent.Name != "goodbye" || !m.Decided {
		t.Errorf("/goodbye gives %+v", m)
	}
	conversation := tracker.New("c", a.Domain())
	conversation.Update(&tracker.ActionExecuted{Name: tracker.ListenAction})
	conversation.Update(&tracker.UserUttered{Text: "hello", HasText: true, Intent: "greet"})
	p, err := a.Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: a.Domain()})
	if err != nil {
		t.Fatal(err)
	}
	action, confidence := p.Best()
	if name := a.Domain().ActionNames()[action]; name != "utter_greet" || confidence != 1 {
		t.Errorf("after a greeting comes %s (%v)", name, confidence)
	}
}

func TestAModelOfNLUAloneDecidesNothing(t *testing.T) {
	a := load(t, trainStarter(t, training.NLU))
	if a.Predicts() {
		t.Error("it says that it predicts")
	}
	if _, err := a.Predict(t.Context(), dialogue.Situation{Tracker: tracker.New("c", a.Domain())}); err == nil {
		t.Error("it predicted")
	}
	if m := parse(t, a, "hello"); m.Intent == nil || m.Intent.Name != "greet" {
		t.Errorf("hello has the intent %+v", m.Intent)
	}
}

func TestAModelOfCoreAloneTakesIntents(t *testing.T) {
	a := load(t, trainStarter(t, training.Core))
	if m := parse(t, a, "/greet"); m.Intent == nil || m.Intent.Name != "greet" {
		t.Errorf("/greet has the intent %+v", m.Intent)
	}
	if m := parse(t, a, "hello"); m.Intent != nil && m.Intent.Name != "" {
		t.Errorf("hello has the intent %+v", m.Intent)
	}
}

func TestMessagesRunSideBySide(t *testing.T) {
	a := load(t, trainStarter(t, training.All))
	want := parse(t, a, "hello").Intent.Confidence
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				if got := parse(t, a, "hello"); got.Intent.Confidence != want {
					t.Errorf("the confidence is %v, alone it was %v", got.Intent.Confidence, want)
				}
			}
		})
	}
	wait.Wait()
}

// BenchmarkFirstAnswer reads a model, loads it and parses one message.
func BenchmarkFirstAnswer(b *testing.B) {
	path := trainStarter(b, training.All)
	for b.Loop() {
		parse(b, load(b, path), "hello")
	}
}
