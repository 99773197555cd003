package story_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestPlayedStoriesSayWhatWasPredicted(t *testing.T) {
	payload := said(`/greet{"city": "Rome"}`, "", tracker.Entity{"entity": "city", "value": "Rome"})
	got := string(story.WritePlayed([]story.Played{{Name: "a story", Steps: []story.PlayedStep{
		{Event: did("action_listen")},
		{Event: said("hello", "greet", tracker.Entity{"entity": "city", "value": "Rome"}), Comment: "predicted: bye:\nhello", Replaced: true, Entities: []story.PlayedEntity{
			{Name: "city", Value: "Rome", Comment: "predicted: number: 4"},
		}},
		{Event: said("hi", "greet", tracker.Entity{"entity": "city", "value": "Rome"}), Replaced: true},
		{Event: payload},
		{Event: &tracker.ActionExecuted{ActionText: "Hello!"}, Comment: "predicted: utter_greet"},
		{Event: &tracker.SlotSet{Name: "city", Value: "Rome"}},
		{Event: &tracker.Restarted{}},
		{Event: did("action_listen"), Comment: "predicted: utter_greet"},
	}}}))
	want := `version: "3.1"
stories:
- story: a story
  steps:
  - intent: greet  # predicted: bye: hello
    entities:
    - city: Rome  # predicted: number: 4
  - intent: greet
    entities: []
  - user: "/greet{\"city\": \"Rome\"}"
  - bot: Hello!  # predicted: utter_greet
  - slot_was_set:
      - city: Rome
  - action: action_listen  # predicted: utter_greet
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// FuzzPlayedStoriesAreRead writes what strangers said and what was made of it.
func FuzzPlayedStoriesAreRead(f *testing.F) {
	f.Add("a", "greet", "predicted: x\r\ny\u2028z\x00", "city", "Rome\n- story: b")
	f.Add("a: b # c", "null", "", "", "")
	f.Add(`\u0041`, "é", "# é", "a b", "\\")
	f.Fuzz(func(t *testing.T, name, intent, comment, entity, value string) {
		data := story.WritePlayed([]story.Played{{Name: name, Steps: []story.PlayedStep{
			{Event: said("x", intent+"x"), Comment: comment, Replaced: true, Entities: []story.PlayedEntity{{Name: entity, Value: value, Comment: comment}}},
			{Event: did("utter_y"), Comment: comment},
		}}})
		var problems diag.List
		root := yamlfile.Parse(data, "failed_test_stories.yml", &problems)
		if err := problems.Err(); err != nil {
			t.Fatalf("%v in\n%s", err, data)
		}
		stories := root.Get("stories")
		if stories == nil || len(stories.Items) != 1 || len(stories.Items[0].Get("steps").Items) != 2 {
			t.Fatalf("not one story with two steps:\n%s", data)
		}
		if got := stories.Items[0].Get("steps").Items[1].Get("action").Text; got != "utter_y" {
			t.Errorf("the action is %q in\n%s", got, data)
		}
		if strings.Count(string(data), "\n- story:") != 1 {
			t.Errorf("a text began a story of its own:\n%s", data)
		}
	})
}
