package ensemble_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/ensemble"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestCombine(t *testing.T) {
	d := dialoguetest.Data(t, "intents: [greet]\nactions: [a, b]\nstories:\n- story: s\n  steps: [{intent: greet}, {action: a}]\n").Domain
	predict := func(name string, priority int, a, b float64) *dialogue.Prediction {
		p := &dialogue.Prediction{Policy: name, Priority: priority, Probabilities: make([]float64, len(d.ActionNames()))}
		for action, x := range map[string]float64{"a": a, "b": b} {
			i, _ := d.ActionIndex(action)
			p.Probabilities[i] = x
		}
		return p
	}
	noUser := predict("no user", 1, 0.1, 0)
	noUser.NoUser = true
	byText := predict("text", 1, 0, 0.2)
	byText.EndToEnd = true
	interrupted := &tracker.LoopInterrupted{Interrupted: true}
	withEvent := predict("other", 1, 0, 0)
	withEvent.Events = []tracker.Event{interrupted}
	optional := predict("loser", 1, 0, 0.1)
	optional.OptionalEvents = []tracker.Event{&tracker.EntitiesAdded{}}

	for _, c := range []struct {
		name        string
		predictions []*dialogue.Prediction
		rejected    string
		want        string
		events      []tracker.Event
	}{
		{"the highest confidence", []*dialogue.Prediction{predict("1", 9, 0.5, 0), predict("2", 1, 0, 0.6)}, "", "2 b", nil},
		{"then the priority", []*dialogue.Prediction{predict("1", 1, 1, 0), predict("2", 3, 0, 1)}, "", "2 b", nil},
		{"then the first", []*dialogue.Prediction{predict("1", 1, 1, 0), predict("2", 1, 0, 1)}, "", "1 a", nil},
		{"what was rejected is out", []*dialogue.Prediction{predict("1", 1, 1, 0), predict("2", 1, 0, 0.2)}, "a", "2 b", nil},
		{"without the user first", []*dialogue.Prediction{predict("1", 9, 0, 1), byText, noUser}, "", "no user a", nil},
		{"then by text", []*dialogue.Prediction{predict("1", 9, 1, 0), byText}, "", "text b", nil},
		{"events of all, optional ones of the winner", []*dialogue.Prediction{predict("1", 1, 1, 0), withEvent, optional}, "", "1 a", []tracker.Event{interrupted}},
	} {
		conversation := dialoguetest.Conversation(d, "/greet")
		if c.rejected != "" {
			conversation.Update(&tracker.ActionExecutionRejected{Name: c.rejected})
		}
		inputs := graph.Inputs{"domain": d, "tracker": conversation}
		for i, p := range c.predictions {
			inputs["policy"+string(rune('0'+i))] = p
		}
		out, err := ensemble.Type().Fns["combine_predictions_from_kwargs"].Call(t.Context(), ensemble.Ensemble{}, inputs)
		if err != nil {
			t.Fatal(err)
		}
		got := out.(*dialogue.Prediction)
		action, _ := got.Best()
		if s := got.Policy + " " + d.ActionNames()[action]; s != c.want {
			t.Errorf("%s: got %s, want %s", c.name, s, c.want)
		}
		want := append(c.events, &tracker.UserFeaturization{UseText: got.EndToEnd})
		if diff := cmp.Diff(want, got.Events); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
}

// As in Rasa 3.6.21 a rejection counts until another action has run, even if that
// one took the rejection's turn back.
func TestRejectionEndsWithTheNextAction(t *testing.T) {
	d := dialoguetest.Data(t, "intents: [greet]\nactions: [a, b]\nstories:\n- story: s\n  steps: [{intent: greet}, {action: a}]\n").Domain
	conversation := dialoguetest.Conversation(d, "/greet", &tracker.ActionExecutionRejected{Name: "a"}, "action_listen",
		"/greet", "action_listen", "/greet", "action_back", &tracker.UserUtteranceReverted{}, &tracker.UserUtteranceReverted{})
	a, _ := d.ActionIndex("a")
	p := &dialogue.Prediction{Probabilities: make([]float64, len(d.ActionNames()))}
	p.Probabilities[a] = 1
	out, err := ensemble.Ensemble{}.Combine([]*dialogue.Prediction{p}, d, conversation)
	if err != nil {
		t.Fatal(err)
	}
	if best, confidence := out.Best(); best != a || confidence != 1 {
		t.Errorf("the rejected action has %v", confidence)
	}
}
