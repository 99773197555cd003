package rule_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

const base = `
intents: [greet, order, stop, deny]
slots:
  vip: {type: bool, mappings: [{type: custom}]}
  size: {type: text, mappings: [{type: custom}]}
forms:
  order_form: {required_slots: [size]}
responses:
  utter_greet: [{text: hi}]
  utter_vip: [{text: hi}]
  utter_stop: [{text: stop?}]
  utter_done: [{text: done}]
`

const rules = base + `
rules:
- rule: greet
  steps: [{intent: greet}, {action: utter_greet}]
- rule: greet a vip
  condition: [{slot_was_set: [{vip: true}]}]
  steps: [{intent: greet}, {action: utter_vip}]
- rule: order
  steps: [{intent: order}, {action: order_form}, {active_loop: order_form}]
- rule: ordered
  condition: [{active_loop: order_form}]
  steps: [{action: order_form}, {active_loop: null}, {action: utter_done}]
- rule: stop asks
  condition: [{active_loop: order_form}]
  steps: [{intent: stop}, {action: utter_stop}]
  wait_for_user_input: false
`

func train(t testing.TB, project string) (*rule.Policy, dialogue.TrainingData) {
	t.Helper()
	data := dialoguetest.Data(t, project)
	fresh, err := rule.New(rule.Defaults(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := fresh.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := fresh.Persist()
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := rule.New(rule.Defaults(), saved)
	if err != nil {
		t.Fatal(err)
	}
	again, err := loaded.Persist()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(saved, again); diff != "" {
		t.Errorf("what was loaded persists differently: %s", diff)
	}
	return loaded, data
}

func TestPredictions(t *testing.T) {
	p, data := train(t, rules)
	loop := &tracker.ActiveLoop{Name: "order_form"}
	rejected := &tracker.ActionExecutionRejected{Name: "order_form"}
	for _, c := range []struct {
		name   string
		events []any
		want   string
	}{
		{"a rule", []any{"/greet"}, "utter_greet 1"},
		{"wait when it is done", []any{"/greet", "utter_greet"}, "action_listen 1"},
		{"the longer rule wins", []any{&tracker.SlotSet{Name: "vip", Value: true}, "/greet"}, "utter_vip 1"},
		{"values count", []any{&tracker.SlotSet{Name: "vip", Value: false}, "/greet"}, "utter_greet 1"},
		{"nothing known", []any{"/deny"}, "action_default_fallback 0.3"},
		{"default action", []any{"/restart"}, "action_restart 1"},
		{"start a form", []any{"/order"}, "order_form 1"},
		{"wait within a form", []any{"/order", "order_form", loop}, "action_listen 1"},
		{"the form goes on", []any{"/order", "order_form", loop, "action_listen", "/greet"}, "order_form 1"},
		{"unless it is rejected", []any{"/order", "order_form", loop, "action_listen", "/greet", rejected}, "utter_greet 1"},
		{"and then returns", []any{"/order", "order_form", loop, "action_listen", "/greet", rejected, "utter_greet"}, "order_form 1"},
		{"the form is done", []any{"/order", "order_form", loop, "action_listen", "/deny", "order_form", &tracker.ActiveLoop{}}, "utter_done 1"},
	} {
		action, confidence := dialoguetest.Predict(t, p, dialoguetest.Conversation(data.Domain, c.events...))
		if got := fmt.Sprint(action, " ", confidence); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// The first listening of a conversation that no session has begun is not hidden;
// the rule's own turn is. Rasa 3.6.21 answered so.
func TestTheFirstListeningIsNotHidden(t *testing.T) {
	p, data := train(t, base+"rules:\n- rule: first\n  conversation_start: true\n  steps: [{intent: greet}, {action: utter_greet}]\n")
	begun := tracker.New("c", data.Domain)
	begun.Update(&tracker.UserUttered{Text: "/greet", HasText: true, ParseData: tracker.ParseData{"intent": map[string]any{"name": "greet"}}})
	for want, conversation := range map[string]*tracker.Tracker{
		"action_listen false": begun,
		"utter_greet true":    dialoguetest.Conversation(data.Domain, "/greet"),
	} {
		out, err := p.Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: data.Domain})
		if err != nil {
			t.Fatal(err)
		}
		best, _ := out.Best()
		if got := fmt.Sprint(data.Domain.ActionNames()[best], " ", out.HideRuleTurn); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestSlotsOfRulesAlone: a slot with a value from the beginning is in every story,
// as rule_only_data.json of Rasa 3.6.21 shows.
func TestSlotsOfRulesAlone(t *testing.T) {
	const stories = rules + "stories:\n- story: a\n  steps: [{intent: deny}, {action: utter_stop}]\n"
	for project, want := range map[string][]string{
		rules: {"vip"}, stories: {"vip"},
		strings.Replace(stories, "type: bool,", "type: bool, initial_value: false,", 1): {},
		strings.Replace(stories, "type: bool,", "type: bool, initial_value: other,", 1): {"vip"}, // neither true nor false
	} {
		p, _ := train(t, project)
		if diff := cmp.Diff(want, p.RuleOnly().Slots, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s\n(-want +got)\n%s", project, diff)
		}
	}
}

func TestTrainingRefuses(t *testing.T) {
	for name, c := range map[string]struct{ project, want string }{
		"a contradiction": {rules + "stories:\n- story: rude\n  steps: [{intent: greet}, {action: utter_stop}]\n",
			`project.yml:31:37: story "rude" goes on with "utter_stop", but rule "greet" predicts "utter_greet" here [rule-contradiction]
    hint: the rule is at project.yml:15:9; change one of them, so that both go on in the same way`},
		"several turns": {base + "rules:\n- rule: long\n  steps: [{intent: greet}, {action: utter_greet}, {intent: deny}, {action: utter_done}]\n",
			`project.yml:15:60: rule "long" has more than one user turn; a rule is meant for one [rule-with-several-turns]
    hint: make it a story, or set restrict_rules: false for RulePolicy`},
		"an incomplete rule": {rules + "- rule: order in haste\n  steps: [{intent: stop}, {action: order_form}, {action: utter_done}]\n",
			`project.yml:30:36: rule "order in haste" leaves open which loop is active after action "order_form"; in other rules loop "order_form" is active or no loop is active [incomplete-rule]
    hint: rule "order" at project.yml:20:9 shows it; add active_loop below the action`},
	} {
		data := dialoguetest.Data(t, c.project)
		problems, err := rule.Check(context.Background(), data, rule.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, p := range problems {
			got = append(got, p.Error())
		}
		if got := strings.Join(got, "\n"); got != c.want {
			t.Errorf("%s:\ngot:\n%s\nwant:\n%s", name, got, c.want)
		}
	}
}

func TestLoopIsToldThatItWasInterrupted(t *testing.T) {
	p, data := train(t, rules+`
- rule: stop, but go on
  condition: [{active_loop: order_form}]
  steps: [{action: utter_stop}, {intent: deny}, {action: order_form}, {active_loop: order_form}]
`)
	conversation := dialoguetest.Conversation(data.Domain, "/order", "order_form", &tracker.ActiveLoop{Name: "order_form"}, "action_listen",
		"/stop", &tracker.ActionExecutionRejected{Name: "order_form"}, "utter_stop", "action_listen", "/deny")
	out, err := p.Predict(context.Background(), dialogue.Situation{Tracker: conversation, Domain: data.Domain})
	if err != nil {
		t.Fatal(err)
	}
	action, _ := out.Best()
	if got := data.Domain.ActionNames()[action]; got != "order_form" || len(out.Events) != 1 {
		t.Errorf("got %s with the events %v, want order_form and a loop_interrupted event", got, out.Events)
	}
}

func FuzzLoad(f *testing.F) {
	p, _ := train(f, rules)
	saved, err := p.Persist()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(saved["rule_policy.json"], saved["rule_only_data.json"])
	f.Add([]byte(`{"lookup":{"rules":{"[]":"x"}}}`), []byte(`{}`))
	d := dialoguetest.Data(f, rules).Domain
	f.Fuzz(func(t *testing.T, rules, ruleOnly []byte) {
		p, err := rule.New(rule.Defaults(), graph.Resource{"rule_policy.json": rules, "rule_only_data.json": ruleOnly})
		if err == nil {
			dialoguetest.Predict(t, p, dialoguetest.Conversation(d, "/greet"))
		}
	})
}

// many is an assistant with a rule for each of n intents.
func many(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "intents: [%s]\nactions: [%s]\nrules:\n", numbered("i", n), numbered("action_", n))
	for i := range n {
		fmt.Fprintf(&b, "- rule: r%d\n  steps: [{intent: i%d}, {action: action_%d}]\n", i, i, i)
	}
	return b.String()
}

func numbered(prefix string, n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint(prefix, i)
	}
	return strings.Join(names, ", ")
}

func BenchmarkPredict(b *testing.B) {
	p, data := train(b, many(1000))
	for _, turns := range []int{1, 10, 1000} {
		conversation := dialoguetest.Conversation(data.Domain)
		for i := range turns {
			dialoguetest.Play(conversation, fmt.Sprintf("/i%d", i), &tracker.UserFeaturization{}, fmt.Sprintf("action_%d", i), &tracker.BotUttered{}, "action_listen")
		}
		dialoguetest.Play(conversation, "/i7")
		b.Run(fmt.Sprintf("turns=%d", turns), func(b *testing.B) {
			b.ReportAllocs()
			in := dialogue.Situation{Tracker: conversation, Domain: data.Domain}
			for b.Loop() {
				if out, err := p.Predict(b.Context(), in); err != nil || out.HideRuleTurn == false {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTrain(b *testing.B) {
	data := dialoguetest.Data(b, many(2000))
	for b.Loop() {
		p, _ := rule.New(rule.Defaults(), nil)
		if err := p.Train(b.Context(), data); err != nil {
			b.Fatal(err)
		}
	}
}
