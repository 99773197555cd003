package evaluate_test

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/trainingtracker"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// puppet understands each text as the intent of that name and does what next says.
type puppet struct {
	next func(t *tracker.Tracker) (string, *dialogue.Prediction)
}

func (puppet) Understand(_ context.Context, text string) (*tracker.UserUttered, error) {
	intent, _, _ := strings.Cut(text, " ")
	return &tracker.UserUttered{Text: text, HasText: true, Intent: intent, Confidence: 1}, nil
}

func (p puppet) Next(_ context.Context, t *tracker.Tracker) (string, *dialogue.Prediction, float64, error) {
	action, prediction := p.next(t)
	return action, prediction, 1, nil
}

// stories makes the trackers of test stories.
func stories(t *testing.T, text string) []*dialogue.TrainingTracker {
	t.Helper()
	var problems diag.List
	d := domain.Read(yamlfile.Parse([]byte("intents: [greet, bye]\nentities: [city]\nactions: [utter_greet, utter_bye]\nforms: {f: {required_slots: []}}\n"), "domain.yml", &problems), &problems)
	g := (&story.Reader{Domain: d, Problems: &problems}).Read(yamlfile.Parse([]byte(text), "test_stories.yml", &problems))
	trackers, err := trainingtracker.Generate(t.Context(), g, d, trainingtracker.Config{}, &problems)
	if err == nil {
		err = problems.Err()
	}
	if err != nil {
		t.Fatal(err)
	}
	return trackers
}

// answer does what the latest message asks for, then listens.
func answer(t *tracker.Tracker) string {
	if t.LatestActionName() == tracker.ListenAction {
		return "utter_" + t.LatestIntent()
	}
	return tracker.ListenAction
}

const twoStories = `stories:
- {story: a little, steps: [{user: greet, intent: greet}, {action: utter_greet}]}
- {story: much, steps: [{user: bye, intent: bye}, {action: utter_bye}]}
- {story: expected, steps: [{user: greet you, intent: greet}, {action: action_unlikely_intent}, {action: utter_greet}]}
`

// A message that is unexpectedly unlikely is a warning, and the conversation goes
// on with what comes next.
func TestUnlikelyMessagesAreWarnings(t *testing.T) {
	severity := map[string]float64{"greet": 0.1, "bye": 0.9}
	tests, err := evaluate.Play(t.Context(), puppet{func(t *tracker.Tracker) (string, *dialogue.Prediction) {
		switch t.LatestActionName() {
		case tracker.ListenAction:
			query := map[string]any{"name": t.LatestIntent(), "severity": severity[t.LatestIntent()]}
			return dialogue.UnlikelyIntent, &dialogue.Prediction{Policy: "UnexpecTEDIntentPolicy", Metadata: map[string]any{"query_intent": query}}
		case dialogue.UnlikelyIntent:
			return "utter_" + t.LatestIntent(), &dialogue.Prediction{Policy: "TEDPolicy"}
		}
		return tracker.ListenAction, &dialogue.Prediction{Policy: "TEDPolicy"}
	}}, stories(t, twoStories), evaluate.PlayOptions{EndToEnd: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tests.Correct != 3 || len(tests.Warned) != 2 || tests.Right() != 7 || len(tests.Actions) != 7 {
		t.Fatalf("%d stories and %d of %d actions are correct, %d with warnings", tests.Correct, tests.Right(), len(tests.Actions), len(tests.Warned))
	}
	got := string(story.WritePlayed(tests.Warned))
	if much, little := strings.Index(got, "- story: much"), strings.Index(got, "- story: a little"); much < 0 || much > little {
		t.Errorf("the most unlikely story is not the first:\n%s", got)
	}
	for _, want := range []string{"- action: utter_bye  # predicted: action_unlikely_intent\n", "- action: utter_greet  # predicted: action_unlikely_intent\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the warnings lack %q:\n%s", want, got)
		}
	}
	if all := string(story.WritePlayed(tests.Succeeded)); strings.Contains(all, "- action: action_unlikely_intent") {
		t.Errorf("Rasa does not write what was expected to be unlikely, and was:\n%s", all)
	}
}

// A story that goes another way behind an unlikely message has failed, and says
// both.
func TestUnlikelyMessagesMayLeadAstray(t *testing.T) {
	tests, err := evaluate.Play(t.Context(), puppet{func(t *tracker.Tracker) (string, *dialogue.Prediction) {
		p := &dialogue.Prediction{Policy: "TEDPolicy"}
		switch t.LatestActionName() {
		case tracker.ListenAction:
			return dialogue.UnlikelyIntent, p
		case dialogue.UnlikelyIntent:
			return "utter_greet", p
		}
		return tracker.ListenAction, p
	}}, stories(t, "stories:\n- {story: s, steps: [{user: bye, intent: bye}, {action: utter_bye}]}\n"), evaluate.PlayOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(story.WritePlayed(tests.Failed)); len(tests.Warned) != 0 || !strings.Contains(got, "# predicted: utter_greet after action_unlikely_intent\n") {
		t.Errorf("%d warnings, failed:\n%s", len(tests.Warned), got)
	}
}

// What an end-to-end policy finds in a text is judged token by token.
func TestEntitiesOfPoliciesAreJudged(t *testing.T) {
	const text = `stories:
- {story: s, steps: [{user: "greet [Rome](city) and [Oslo](city)", intent: greet}, {action: utter_greet}]}
`
	tests, err := evaluate.Play(t.Context(), puppet{func(t *tracker.Tracker) (string, *dialogue.Prediction) {
		p := &dialogue.Prediction{Policy: "TEDPolicy"}
		if t.LatestActionName() == tracker.ListenAction {
			p.Events = []tracker.Event{&tracker.UserFeaturization{UseText: true}, &tracker.EntitiesAdded{Entities: []tracker.Entity{
				{"entity": "city", "start": 6, "end": 10, "value": "Rome", "extractor": "TEDPolicy"},
			}}}
		}
		return answer(t), p
	}}, stories(t, text), evaluate.PlayOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	r := tests.Texts.Report
	if got := r.Labels[0]; len(r.Labels) != 1 || got.Label != "city" || got.Recall != 0.5 || got.Precision != 1 || got.Support != 2 || r.Accuracy != 0.75 {
		t.Errorf("the report is %+v", r)
	}
	if len(tests.Texts.Successes) != 1 || len(tests.Texts.Errors) != 1 {
		t.Errorf("%d successes and %d errors", len(tests.Texts.Successes), len(tests.Texts.Errors))
	}
}

// A form that would go on where the story does something else is asked again as if
// it had rejected the message; the second answer is what counts.
func TestFormsAreTakenForRejected(t *testing.T) {
	const text = `stories:
- {story: s, steps: [{user: greet, intent: greet}, {action: f}, {active_loop: f}, {user: bye, intent: bye}, {action: utter_bye}, {action: f}]}
`
	tests, err := evaluate.Play(t.Context(), puppet{func(t *tracker.Tracker) (string, *dialogue.Prediction) {
		p := &dialogue.Prediction{Policy: "RulePolicy"}
		switch {
		case t.LatestActionName() == "f":
			return tracker.ListenAction, p
		case t.LatestActionName() == "utter_bye", t.ActiveLoop().Name == "", !t.ActiveLoop().Rejected:
			return "f", p
		}
		return answer(t), p
	}}, stories(t, text), evaluate.PlayOptions{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, a := range tests.Actions {
		got = append(got, a.Action+" "+a.Predicted)
	}
	want := []string{"f f", "action_listen action_listen", "utter_bye utter_bye", "f f", "action_listen action_listen"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
