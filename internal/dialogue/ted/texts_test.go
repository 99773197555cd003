package ted_test

import (
	"fmt"
	"log/slog"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/dialoguetest"
	"github.com/loquat-dev/loquat/internal/dialogue/ted"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// The users of this project are mostly understood word for word.
const snackBar = `
intents: [greet, bye]
entities: [dish, city]
responses:
  utter_hello: [{text: hello}]
  utter_dish: [{text: it comes}]
  utter_trip: [{text: bon voyage}]
  utter_bye: [{text: bye}]
stories:
- {story: soup, steps: [{intent: greet}, {action: utter_hello}, {user: "I want [soup](dish) please"}, {action: utter_dish}]}
- {story: rice, steps: [{intent: greet}, {action: utter_hello}, {user: "I want [fried rice](dish) please"}, {action: utter_dish}]}
- {story: pizza, steps: [{user: "give me [pizza](dish)"}, {action: utter_dish}, {intent: bye}, {action: utter_bye}]}
- {story: pasta, steps: [{user: "give me [pasta](dish)"}, {action: utter_dish}, {intent: bye}, {action: utter_bye}]}
- {story: salads, steps: [{user: "give me [green salad](dish)"}, {action: utter_dish}, {intent: bye}, {action: utter_bye}]}
- {story: north, steps: [{user: "travel to [Oslo](city)"}, {action: utter_trip}]}
- {story: south, steps: [{user: "travel to [Rome](city)"}, {action: utter_trip}]}
- {story: far, steps: [{user: "travel to [Bonn, Germany](city)"}, {action: utter_trip}]}
- {story: short, steps: [{intent: greet}, {action: utter_hello}, {intent: bye}, {action: utter_bye}]}
`

// pipeline tokenizes and featurizes as a model does.
type pipeline []nlu.Processor

// learn makes a pipeline and what it makes of the texts of stories.
func learn(t testing.TB, trackers []*dialogue.TrainingTracker) (pipeline, dialogue.Texts) {
	t.Helper()
	known := dialogue.Texts{}
	var texts []string
	for _, tr := range trackers {
		for _, e := range tr.Events() {
			if u, ok := e.(*tracker.UserUttered); ok && u.HasText && known[u.Text] == nil {
				known[u.Text] = &nlu.Message{}
				texts = append(texts, u.Text)
			}
		}
	}
	data := nlu.NewTrainingData(nludata.New(), nlu.Labels{UserTexts: texts})
	var p pipeline
	for i, of := range []graph.Type{whitespace.Type(), lexicalsyntactic.Type(), countvectors.Type()} {
		component, err := of.Build(graph.Env{NodeName: fmt.Sprint("node", i), Logger: slog.New(slog.DiscardHandler), Threads: 1}, maps.Clone(of.Defaults), nil)
		if err != nil {
			t.Fatal(err)
		}
		if trainer, ok := component.(nlu.Trainer); ok {
			if err := trainer.Train(t.Context(), data); err != nil {
				t.Fatal(err)
			}
		}
		if err := component.(nlu.Processor).Process(t.Context(), data.Messages); err != nil {
			t.Fatal(err)
		}
		p = append(p, component.(nlu.Processor))
	}
	for _, m := range data.Messages {
		known[m.Values[nlu.Text]] = m
	}
	return p, known
}

func (p pipeline) read(t testing.TB, text string) dialogue.Texts {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	for _, component := range p {
		if err := component.Process(t.Context(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
	}
	return dialogue.Texts{text: m}
}

// talk is a trained policy with its pipeline.
type talk struct {
	dialogue.Policy
	pipeline
	dialogue.TrainingData
}

func learnTalk(t testing.TB, project string, config graph.Config) talk {
	t.Helper()
	data := dialoguetest.Data(t, project)
	p, texts := learn(t, data.Trackers)
	data.Texts = texts
	return talk{train(t, data, config), p, data}
}

// predict says a text, whose intent may be known, at the end of a conversation.
func (a talk) predict(t testing.TB, said tracker.UserUttered, before ...any) (action string, p *dialogue.Prediction) {
	t.Helper()
	said.HasText = true
	conversation := dialoguetest.Conversation(a.Domain, append(before, &said)...)
	p, err := a.Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: a.Domain, Texts: a.read(t, said.Text)})
	if err != nil {
		t.Fatal(err)
	}
	best, _ := p.Best()
	return a.Domain.ActionNames()[best], p
}

// after predicts what follows the answer to a text that has decided.
func (a talk) after(t testing.TB, said tracker.UserUttered, answer string) (action string, p *dialogue.Prediction) {
	t.Helper()
	said.HasText = true
	conversation := dialoguetest.Conversation(a.Domain, &said, &tracker.UserFeaturization{UseText: true}, answer)
	p, err := a.Predict(t.Context(), dialogue.Situation{Tracker: conversation, Domain: a.Domain, Texts: a.read(t, said.Text)})
	if err != nil {
		t.Fatal(err)
	}
	best, _ := p.Best()
	return a.Domain.ActionNames()[best], p
}

func TestTextsDecide(t *testing.T) {
	a := learnTalk(t, snackBar, nil)
	for _, c := range []struct {
		said     tracker.UserUttered
		before   []any
		want     string
		endToEnd bool
	}{
		{tracker.UserUttered{Text: "give me pizza"}, nil, "utter_dish", true},
		{tracker.UserUttered{Text: "travel to Oslo"}, nil, "utter_trip", true},
		{tracker.UserUttered{Text: "I want soup please"}, []any{"/greet", "utter_hello", "action_listen"}, "utter_dish", true},
		{tracker.UserUttered{Text: "give me sushi"}, nil, "utter_dish", true}, // which no story says
		{tracker.UserUttered{Text: "travel to Madrid"}, nil, "utter_trip", true},
		{tracker.UserUttered{Text: "good evening", Intent: "greet", Confidence: 0.9}, nil, "utter_hello", false},
		{tracker.UserUttered{Text: "travel to Oslo", Intent: "greet", Confidence: 0.3}, nil, "utter_trip", true},
		{tracker.UserUttered{Text: "", Intent: "greet", Confidence: 1}, nil, "utter_hello", false},
	} {
		got, p := a.predict(t, c.said, c.before...)
		if got != c.want || p.EndToEnd != c.endToEnd {
			t.Errorf("%q after %v: %s, by its text: %t; want %s, %t", c.said.Text, c.before, got, p.EndToEnd, c.want, c.endToEnd)
		}
	}
	if _, p := a.predict(t, tracker.UserUttered{Text: "what is the meaning of life"}); p.EndToEnd {
		t.Error("a text that nothing in the stories is like was known")
	}

	// The text that has been answered does not ask for the same answer again.
	got, p := a.after(t, tracker.UserUttered{Text: "give me pizza"}, "utter_dish")
	if got != "action_listen" || p.EndToEnd || len(p.OptionalEvents) > 0 {
		t.Errorf("after the answer: %s, by its text: %t, %v", got, p.EndToEnd, p.OptionalEvents)
	}
}

func entitiesOf(p *dialogue.Prediction) []string {
	var out []string
	for _, e := range p.OptionalEvents {
		for _, x := range e.(*tracker.EntitiesAdded).Entities {
			out = append(out, fmt.Sprintf("%v %v-%v %v (%v)", x["entity"], x["start"], x["end"], x["value"], x["extractor"]))
		}
	}
	return out
}

func TestEntitiesAreFoundInTexts(t *testing.T) {
	off := learnTalk(t, snackBar, graph.Config{"entity_recognition": false})
	for name, a := range map[string]talk{
		"BILOU": learnTalk(t, snackBar, nil),
		"plain": learnTalk(t, snackBar, graph.Config{"BILOU_flag": false}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []struct {
				said tracker.UserUttered
				want []string
			}{
				{tracker.UserUttered{Text: "give me pizza"}, []string{"dish 8-13 pizza (TEDPolicy)"}},
				{tracker.UserUttered{Text: "give me green salad"}, []string{"dish 8-19 green salad (TEDPolicy)"}},
				{tracker.UserUttered{Text: "give me sushi"}, []string{"dish 8-13 sushi (TEDPolicy)"}},
				{tracker.UserUttered{Text: "travel to Bonn, Germany"}, []string{"city 10-14 Bonn (TEDPolicy)", "city 16-23 Germany (TEDPolicy)"}},
				{tracker.UserUttered{Text: "travel to Oslo", Intent: "greet", Confidence: 0.1}, []string{"city 10-14 Oslo (TEDPolicy)"}},
				{tracker.UserUttered{Text: "please", Intent: "greet", Confidence: 1}, nil}, // the intent decides
			} {
				_, p := a.predict(t, c.said)
				if diff := cmp.Diff(c.want, entitiesOf(p)); p.EndToEnd != (c.want != nil) || diff != "" {
					t.Errorf("%q, by its text: %t\n%s", c.said.Text, p.EndToEnd, diff)
				}
				if _, p := off.predict(t, c.said); len(p.OptionalEvents) > 0 {
					t.Errorf("%q: %v without entity_recognition", c.said.Text, p.OptionalEvents)
				}
			}
		})
	}
}

func TestEntitiesMayGoAcrossCommas(t *testing.T) {
	a := learnTalk(t, snackBar, graph.Config{"split_entities_by_comma": map[string]any{"city": false}})
	_, p := a.predict(t, tracker.UserUttered{Text: "travel to Bonn, Germany"})
	if diff := cmp.Diff([]string{"city 10-23 Bonn, Germany (TEDPolicy)"}, entitiesOf(p)); diff != "" {
		t.Error(diff)
	}
}

const introductions = `
intents: [greet]
entities: [name]
responses: {utter_nice: [{text: nice}], utter_bye: [{text: bye}]}
stories:
- {story: name, steps: [{user: "I am [Ann](name)"}, {action: utter_nice}]}
- {story: another name, steps: [{user: "I am [Bob](name)"}, {action: utter_nice}]}
- {story: end, steps: [{user: "see you"}, {action: utter_bye}]}
`

// Where no story names an intent, there is nothing else to predict by.
func TestTextsAlone(t *testing.T) {
	a := learnTalk(t, introductions, nil)
	said := tracker.UserUttered{Text: "I am Eve", Intent: "greet", Confidence: 1}
	got, p := a.predict(t, said)
	if diff := cmp.Diff([]string{"name 5-8 Eve (TEDPolicy)"}, entitiesOf(p)); got != "utter_nice" || !p.EndToEnd || diff != "" {
		t.Errorf("%s, by its text: %t\n%s", got, p.EndToEnd, diff)
	}
	if got, p = a.after(t, said, "utter_nice"); got != "action_listen" || !p.EndToEnd || len(p.OptionalEvents) > 0 {
		t.Errorf("then %s, by its text: %t, %v", got, p.EndToEnd, p.OptionalEvents)
	}
}

func TestTextsTrainTheSameOnAnyNumberOfCores(t *testing.T) {
	data := dialoguetest.Data(t, snackBar)
	_, data.Texts = learn(t, data.Trackers)
	dialoguetest.SameOnAnyNumberOfCores(t, ted.Type(), data)
}

func FuzzLoadWithTexts(f *testing.F) {
	data := dialoguetest.Data(f, introductions)
	_, data.Texts = learn(f, data.Trackers)
	dialoguetest.LoadsOrRefuses(f, ted.Type(), data, "ted.bin")
}

func BenchmarkPredictByText(b *testing.B) {
	a := learnTalk(b, snackBar, nil)
	said := &tracker.UserUttered{Text: "give me green salad", HasText: true, Intent: "greet", Confidence: 0.2}
	situation := dialogue.Situation{Tracker: dialoguetest.Conversation(a.Domain, said), Domain: a.Domain, Texts: a.read(b, said.Text)}
	b.ReportAllocs()
	for b.Loop() {
		if p, err := a.Predict(b.Context(), situation); err != nil || len(p.OptionalEvents) == 0 {
			b.Fatal(p, err)
		}
	}
}
