package story_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func said(text, intent string, entities ...tracker.Entity) *tracker.UserUttered {
	return &tracker.UserUttered{Text: text, HasText: true, Intent: intent, Entities: entities}
}

func did(name string) *tracker.ActionExecuted { return &tracker.ActionExecuted{Name: name} }

// The expectations were made by Rasa 3.6.21.
func TestWrittenAsInRasa(t *testing.T) {
	city := func(more ...any) tracker.Entity {
		e := tracker.Entity{"entity": "city", "start": int64(5), "end": int64(10), "value": "Paris"}
		for i := 0; i < len(more); i += 2 {
			e[more[i].(string)] = more[i+1]
		}
		return e
	}
	for _, c := range []struct {
		name   string
		events []tracker.Event
		want   string
	}{
		{"entities", []tracker.Event{said("from Paris to 4", "inform", city(), tracker.Entity{"entity": "number", "role": "guests", "start": int64(14), "end": int64(15), "value": int64(4)})}, `
- intent: inform
  user: |-
    from [Paris](city) to [4]{"entity": "number", "role": "guests", "value": 4}`},
		{"a group and a synonym", []tracker.Event{said("from Paris", "inform", city("group", "g", "value", "paris"))}, `
- intent: inform
  user: |-
    from [Paris]{"entity": "city", "group": "g", "value": "paris"}`},
		{"a payload", []tracker.Event{said(`/inform{"city": "Rome"}`, "inform", city("start", int64(7), "end", int64(23)))}, `
- intent: inform
  user: |-
    /inform{"city": "Rome"}`},
		{"a form", []tracker.Event{
			said("/book", "book"), did("booking_form"), &tracker.ActiveLoop{Name: "booking_form"}, &tracker.SlotSet{Name: "requested_slot", Value: "city"},
			&tracker.BotUttered{Text: "Where?", HasText: true}, did("action_listen"), did("..."), &tracker.ActionExecutionRejected{Name: "booking_form"}, &tracker.LoopInterrupted{}, &tracker.ActiveLoop{},
		}, `
- intent: book
  user: |-
    /book
- action: booking_form
- active_loop: booking_form
- slot_was_set:
  - requested_slot: city
- active_loop: null`},
		{"an end-to-end turn", []tracker.Event{said("hi there", "greet"), &tracker.UserFeaturization{UseText: true}, &tracker.ActionExecuted{ActionText: "Hello you!"}}, `
- user: |-
    hi there
- bot: Hello you!`},
		{"values", []tracker.Event{&tracker.SlotSet{Name: "blob", Value: map[string]any{"k": []any{int64(1), 2.5, nil, true, "null", "1.0", "", "b: c"}}}}, `
- slot_was_set:
  - blob:
      k: [1, 2.5, null, true, 'null', '1.0', '', 'b: c']`},
	} {
		got := parse(t, string(story.WriteTest("c", [][]tracker.Event{c.events})))
		want := parse(t, "version: '3.1'\nstories:\n- story: c\n  steps:"+strings.ReplaceAll(c.want, "\n", "\n  ")+"\n")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", c.name, diff)
		}
	}
}

// parse reads YAML as plain values.
func parse(t *testing.T, text string) any {
	t.Helper()
	var problems diag.List
	root := yamlfile.Parse([]byte(text), "test_stories.yml", &problems)
	if err := problems.Err(); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return root.Any()
}

func TestSessions(t *testing.T) {
	start := []tracker.Event{did("action_session_start"), &tracker.SessionStarted{}}
	a, b := said("a", "greet"), said("b", "greet")
	for _, c := range []struct {
		events []tracker.Event
		want   []int
	}{
		{nil, nil},
		{start, []int{2}},
		{slices.Concat(start, []tracker.Event{a}, start, []tracker.Event{b, b}), []int{3, 4}},
		{slices.Concat([]tracker.Event{a, &tracker.Restarted{}}, start), []int{2, 2}},
		{[]tracker.Event{&tracker.SessionStarted{}, a, &tracker.SessionStarted{}}, []int{3}}, // posted, not begun by the assistant
	} {
		var got []int
		for _, s := range story.Sessions(c.events) {
			got = append(got, len(s))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestLatestSession(t *testing.T) {
	start := []tracker.Event{did("action_session_start"), &tracker.SessionStarted{}}
	a, b := said("a", "greet"), said("b", "greet")
	for _, c := range []struct {
		events []tracker.Event
		want   int
	}{
		{nil, 0},
		{[]tracker.Event{a, b}, 2},
		{slices.Concat(start, []tracker.Event{a}, start, []tracker.Event{b, b}), 2},
		{slices.Concat(start, []tracker.Event{a, &tracker.SessionStarted{}, b}), 1},
	} {
		if got := story.LatestSession(c.events); len(got) != c.want {
			t.Errorf("%d of %d events, want %d", len(got), len(c.events), c.want)
		}
	}
}

// FuzzWrittenStoriesAreReadAgain plays a conversation, writes it, and reads it.
func FuzzWrittenStoriesAreReadAgain(f *testing.F) {
	f.Add("hello there", "greet", 0, 5, "v", "utter_hi")
	f.Add("😀 é: [x] #y", "a b", 2, 3, "null", "yes")
	f.Add("  lead\n\ntrail ", "1.0", 0, 0, "l1\nl2\n", "- x")
	f.Fuzz(func(t *testing.T, text, intent string, begin, end int, value, action string) {
		events := []tracker.Event{
			said(text, intent, tracker.Entity{"entity": "city", "start": int64(begin), "end": int64(end), "value": value}),
			did(action), &tracker.SlotSet{Name: "city", Value: value},
		}
		data := story.WriteTest("c", [][]tracker.Event{events})
		var problems diag.List
		root := yamlfile.Parse(data, "test_stories.yml", &problems)
		if err := problems.Err(); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		steps := root.Get("stories").Items[0].Get("steps").Items
		if got := steps[len(steps)-1].Get("slot_was_set").Items[0].Get("city").Text; got != value && !hasOddRunes(value) {
			t.Errorf("the slot is %q, want %q", got, value)
		}
	})
}

// hasOddRunes tells texts that YAML can't hold as they are, or that Rasa's reader
// takes for something else: variables and escapes.
func hasOddRunes(s string) bool {
	return slices.ContainsFunc([]rune(s), func(r rune) bool { return r < ' ' || r == '$' || r == '\\' || r >= 0x7f })
}

func TestWrittenStoriesAreReadAgain(t *testing.T) {
	var problems diag.List
	d := domain.Read(yamlfile.Parse([]byte("intents: [greet, inform]\nentities: [city]\nactions: [utter_hi, f]\nforms: {f: {required_slots: []}}\nslots: {city: {type: text, mappings: [{type: from_entity, entity: city}]}}\n"), "domain.yml", &problems), &problems)
	data := story.WriteTest("c", [][]tracker.Event{{
		said("hello: you", "greet"), did("utter_hi"), did("action_listen"),
		said("to Rome", "inform", tracker.Entity{"entity": "city", "start": int64(3), "end": int64(7), "value": "Rome"}),
		did("f"), &tracker.ActiveLoop{Name: "f"}, &tracker.SlotSet{Name: "city", Value: "Rome"},
	}})
	reader := story.Reader{Domain: d, Problems: &problems}
	g := reader.Read(yamlfile.Parse(data, "tests/test_stories.yml", &problems))
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			switch e := e.Event.(type) {
			case *tracker.UserUttered:
				got = append(got, fmt.Sprintf("%s %q %d entities", e.Intent, e.Text, len(e.Entities)))
			case *tracker.ActionExecuted:
				got = append(got, e.Name)
			case *tracker.ActiveLoop:
				got = append(got, "loop "+e.Name)
			case *tracker.SlotSet:
				got = append(got, fmt.Sprintf("slot %s=%v", e.Name, e.Value))
			}
		}
	}
	want := []string{`greet "hello: you" 0 entities`, "utter_hi", `inform "to Rome" 1 entities`, "f", "loop f", "slot city=Rome"}
	if diff := cmp.Diff(want, slices.DeleteFunc(got, func(s string) bool { return s == "action_listen" })); diff != "" {
		t.Error(diff)
	}
}
