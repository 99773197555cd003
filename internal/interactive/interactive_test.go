package interactive

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/safefile"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// asked is a prompter that is given these lines.
func asked(lines ...string) (*Prompter, *bytes.Buffer) {
	in := make(chan string, len(lines))
	for _, line := range lines {
		in <- line
	}
	close(in)
	var out bytes.Buffer
	return &Prompter{Lines: in, Out: &out}, &out
}

func TestQuestionsAreAskedUntilTheyAreAnswered(t *testing.T) {
	p, out := asked("what", "N", "0", "9", "x", "b", "", "bad name", "good_name")
	if yes, err := p.yes(t.Context(), "Right?"); yes || err != nil {
		t.Error(yes, err)
	}
	if i, err := p.choose(t.Context(), "Which?", []string{"1.00 a", "0.50 b"}, []string{"a", "b"}); i != 1 || err != nil {
		t.Error(i, err)
	}
	if name, err := p.required(t.Context(), "Name:", checkName); name != "good_name" || err != nil {
		t.Error(name, err)
	}
	if _, err := p.text(t.Context(), "More?", ""); !errors.Is(err, ErrInputEnded) {
		t.Error(err)
	}
	if n := strings.Count(out.String(), "from 1 to 2"); n != 3 {
		t.Errorf("%d complaints about numbers:\n%s", n, out)
	}
}

func TestQuestionsEndWithTheContextAndOpenTheMenu(t *testing.T) {
	p, _ := asked(MenuWord)
	if _, err := p.yes(t.Context(), "Right?"); !errors.Is(err, errMenu) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p = &Prompter{Lines: make(chan string), Out: &bytes.Buffer{}}
	if _, err := p.text(ctx, "?", ""); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestWhatStrangersWriteCantSteerTheTerminal(t *testing.T) {
	p, out := asked("")
	_, _ = p.text(t.Context(), "intent \x1b[31m\r\x9b2J\a", "")
	if got := out.String(); strings.ContainsAny(got, "\x1b\r\a") || strings.Contains(got, "\x9b") {
		t.Errorf("%q", got)
	}
}

func TestUndoneEventsAreNoPartOfAStory(t *testing.T) {
	user := func(intent string) tracker.Event { return &tracker.UserUttered{Intent: intent} }
	did := func(name string) tracker.Event { return &tracker.ActionExecuted{Name: name} }
	events := []tracker.Event{
		did("action_session_start"), &tracker.SessionStarted{}, did("action_listen"), user("a"), did("x"), did("y"), &tracker.ActionReverted{},
		did("action_listen"), user("b"), did("z"), &tracker.UserUtteranceReverted{}, did("action_listen"), user("c"),
		&tracker.Restarted{}, user("d"),
	}
	want := [][]tracker.Event{
		{did("action_session_start")},
		{did("action_listen"), user("a"), did("x"), did("action_listen"), user("c")},
		{user("d")},
	}
	if diff := cmp.Diff(want, conversations(events)); diff != "" {
		t.Error(diff)
	}
}

func TestExamplesOfMessages(t *testing.T) {
	entity := func(name, extractor string, start, end int64) tracker.Entity {
		return tracker.Entity{"entity": name, "extractor": extractor, "start": start, "end": end, "value": "v", "role": "to"}
	}
	e := &tracker.UserUttered{
		Text: "to Rome at 8", Intent: "faq", ParseData: tracker.ParseData{"intent": map[string]any{"full_retrieval_intent_name": "faq/when"}},
		Entities: []tracker.Entity{entity("time", "DucklingEntityExtractor", 8, 12), entity("city", "DIETClassifier", 3, 7), {"entity": "nowhere"}},
	}
	want := nludata.Example{
		Text: "to Rome at 8", Intent: "faq", IntentResponseKey: "faq/when",
		Entities: []nludata.Entity{{Start: 3, End: 7, Entity: "city", Role: "to", Value: "v"}},
	}
	if got, ok := exampleOf(e); !ok || cmp.Diff(want, got) != "" {
		t.Error(ok, cmp.Diff(want, got))
	}
	for _, text := range []string{"", "/greet"} {
		if _, ok := exampleOf(&tracker.UserUttered{Text: text, Intent: "greet"}); ok {
			t.Errorf("%q became an example", text)
		}
	}
}

func TestStoriesGetNamesThatAreFree(t *testing.T) {
	story := func(intent string) []tracker.Event { return []tracker.Event{&tracker.UserUttered{Intent: intent}} }
	l := Learned{Stories: [][]tracker.Event{story("a"), story("b"), story("c"), story("a")}}
	got, err := l.AppendStories([]byte("stories: # mine\n- story: interactive_story_1\n  steps: [{intent: b}] # as before\n"))
	const want = `stories: # mine
- story: interactive_story_1
  steps: [{intent: b}] # as before
- story: interactive_story_2
  steps:
    - intent: a
- story: interactive_story_3
  steps:
    - intent: c
`
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s", err, got)
	}
	if again, err := l.AppendStories(got); err != nil || string(again) != want {
		t.Errorf("%v\n%s", err, again)
	}
}

// An arrow key sends control characters, and a text may have others that files write
// as \uXXXX.
func TestStoriesMayHaveAnyCharacters(t *testing.T) {
	for _, text := range []string{"\x1b[A", "a\x00b", "a\r\nb", "\u2028", "\u0085x", "\ufffe", "\xff", `\u0041`} {
		l := Learned{EndToEnd: true, Stories: [][]tracker.Event{{
			&tracker.UserUttered{Intent: "i", Text: text}, &tracker.SlotSet{Name: "s" + text, Value: text},
		}}}
		got, err := l.AppendStories(nil)
		if err != nil || !strings.Contains(string(got), "interactive_story_1") {
			t.Errorf("%q: %v\n%s", text, err, got)
		}
		if again, err := l.AppendStories(got); err != nil || string(again) != string(got) {
			t.Errorf("%q, exported again: %v\n%s", text, err, again)
		}
	}
}

// knowing is an assistant that knows a domain, and nothing else.
type knowing struct {
	assistant
	domain *domain.Domain
}

func (k knowing) ModelDomain() *domain.Domain { return k.domain }

// One file that can't be written leaves the others alone, so that the next export
// does not tell a story twice.
func TestAnExportWritesAllFilesOrNone(t *testing.T) {
	t.Chdir(t.TempDir())
	const before = "stories:\n- story: mine\n  steps: [{intent: bye}]\n"
	if err := os.WriteFile("stories.yml", []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	blocked := true
	ask, out := asked("stories.yml", "nlu.yml", "domain.yml", "stories.yml", "nlu.yml", "domain.yml")
	known := domain.Read(nil, &diag.List{})
	s := New(Settings{Assistant: knowing{domain: known}, Ask: ask, Files: Files{Write: func(files []safefile.File) error {
		if blocked { // by another program, at the last moment
			if err := os.Mkdir("domain.yml", 0o700); err != nil {
				t.Error(err)
			}
		}
		return safefile.ReplaceTogether(files, 0o644)
	}}})
	s.branches = [][]tracker.Event{{&tracker.UserUttered{Intent: "greet", Text: "hello"}}}
	if done, err := s.export(t.Context()); done || err != nil {
		t.Fatal(done, err)
	}
	if got, err := os.ReadFile("stories.yml"); err != nil || string(got) != before {
		t.Errorf("%v\n%s", err, got)
	}
	if _, err := os.Stat("nlu.yml"); err == nil || !strings.Contains(out.String(), "Nothing was exported") {
		t.Errorf("nlu.yml: %v\n%s", err, out)
	}
	if err := os.Remove("domain.yml"); err != nil {
		t.Fatal(err)
	}
	blocked = false
	if done, err := s.export(t.Context()); !done || err != nil {
		t.Fatal(done, err)
	}
	if got, err := os.ReadFile("stories.yml"); err != nil || strings.Count(string(got), "intent: greet") != 1 {
		t.Errorf("%v\n%s", err, got)
	}
}
