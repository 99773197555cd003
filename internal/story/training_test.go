package story_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// The expectation was written by rasa interactive of Rasa 3.6.21.
func TestTrainingStoriesSayWhatRasasSay(t *testing.T) {
	city := func(value string) tracker.Entity {
		return tracker.Entity{"entity": "city", "start": int64(11), "end": int64(15), "value": value, "extractor": "RegexEntityExtractor"}
	}
	events := []tracker.Event{
		did("action_session_start"), &tracker.SessionStarted{}, did("action_listen"),
		said("hello", "greet"), did("utter_greet"), &tracker.BotUttered{Text: "Hello!", HasText: true}, did("action_listen"),
		said("my city is Berlin", "inform", city("Berlin")), &tracker.SlotSet{Name: "city", Value: "Berlin"}, did("utter_city"), did("action_listen"),
		said("see you", "bye"), did("city_form"), &tracker.ActiveLoop{Name: "city_form"}, &tracker.SlotSet{Name: "requested_slot", Value: "city"}, did("action_listen"),
		said("good morning", "greet"), &tracker.ActionExecutionRejected{Name: "city_form"}, &tracker.LoopInterrupted{Interrupted: true},
		did("city_form"), &tracker.SlotSet{Name: "requested_slot", Value: "city"}, did("action_listen"),
		said("my city is Oslo", "inform", city("Oslo")), &tracker.SlotSet{Name: "city", Value: "Oslo"},
		did("city_form"), &tracker.SlotSet{Name: "requested_slot"}, &tracker.ActiveLoop{}, did("action_listen"),
		said("/bye", "bye"), did("action_default_fallback"),
	}
	const want = `
- story: interactive_story_1
  steps:
  - intent: greet
  - action: utter_greet
  - intent: inform
    entities:
    - city: Berlin
  - slot_was_set:
    - city: Berlin
  - action: utter_city
  - intent: bye
  - action: city_form
  - active_loop: city_form
  - slot_was_set:
    - requested_slot: city
  - intent: greet
  - action: city_form
  - slot_was_set:
    - requested_slot: city
  - intent: inform
    entities:
    - city: Oslo
  - slot_was_set:
    - city: Oslo
  - action: city_form
  - slot_was_set:
    - requested_slot: null
  - active_loop: null
  - intent: bye
  - action: action_default_fallback
`
	if diff := cmp.Diff(parsed(t, want), parsed(t, story.WriteTraining("interactive_story_1", events, false))); diff != "" {
		t.Error(diff)
	}
}

func TestTrainingStoriesWithTextsAndRoles(t *testing.T) {
	events := []tracker.Event{
		said("from Rome", "travel", tracker.Entity{"entity": "city", "role": "from", "group": "1", "start": int64(5), "end": int64(9), "value": "Rome"}),
		&tracker.ActionExecuted{ActionText: "Bon: voyage"},
		said("no intent", ""),
	}
	const want = `
- story: s
  steps:
  - intent: travel
    user: 'from [Rome]{"entity": "city", "role": "from", "group": "1"}'
    entities: [{city: Rome, role: from, group: "1"}]
  - bot: "Bon: voyage"
  - user: no intent
`
	if diff := cmp.Diff(parsed(t, want), parsed(t, story.WriteTraining("s", events, true))); diff != "" {
		t.Error(diff)
	}
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	var problems diag.List
	n := yamlfile.Parse([]byte(text), "written", &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err, text)
	}
	return n.Any()
}
