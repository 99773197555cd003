package endtoend

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The stories of this project go on by what the user says word for word, and the
// assistant says texts that are no responses.
func TestEndToEndStories(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"config.yml": `
recipe: default.v1
language: en
assistant_id: end-to-end
pipeline:
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: 100
policies:
- name: TEDPolicy
  max_history: 5
- name: RulePolicy
`,
		"domain.yml": `
version: "3.1"
intents: [greet, order, affirm, deny]
entities: [dish]
slots:
  dish:
    type: text
    influence_conversation: false
    mappings: [{type: from_entity, entity: dish}]
responses:
  utter_greet: [{text: "hello"}]
  utter_suggest: [{text: "how about sushi?"}]
  utter_order: [{text: "here it comes"}]
  utter_dish: [{text: "a fine dish"}]
`,
		"credentials.yml": "rest:\n",
		"data/nlu.yml": `
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hi
    - hey there
    - good morning
- intent: order
  examples: |
    - I want to eat
    - bring me food
    - I am hungry
- intent: affirm
  examples: |
    - yes
    - that sounds good
    - of course
- intent: deny
  examples: |
    - no
    - never
    - I don't like that
`,
		"data/stories.yml": `
version: "3.1"
stories:
- story: greets
  steps: [{intent: greet}, {action: utter_greet}]
- story: takes it
  steps: [{intent: order}, {action: utter_suggest}, {intent: affirm}, {action: utter_order}]
- story: takes something else
  steps: [{intent: order}, {action: utter_suggest}, {intent: deny}, {action: utter_suggest}]
- story: by the text
  steps: [{intent: order}, {action: utter_suggest}, {user: "I had that yesterday"}, {bot: "Something new, then."}]
- story: by another text
  steps: [{intent: order}, {action: utter_suggest}, {user: "my doctor forbids raw fish"}, {action: utter_greet}]
- story: by the name of a dish
  steps: [{intent: order}, {action: utter_suggest}, {user: "could it be [soup](dish) instead"}, {action: utter_dish}]
- story: by the name of another dish
  steps: [{intent: order}, {action: utter_suggest}, {user: "could it be [pasta](dish) instead"}, {action: utter_dish}]
`,
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o755); err != nil {
			t.Fatal(err)
		}
		replace(t, filepath.Join(dir, name), strings.TrimPrefix(text, "\n"))
	}
	run(t, dir, "train")
	s := startServer(t, dir)
	for i, answer := range []struct{ text, want string }{
		{"yes", "here it comes"},
		{"never", "how about sushi?"},
		{"I had that yesterday", "Something new, then."},
		{"I had this yesterday", "Something new, then."},
		{"my doctor forbids fish", "hello"},
		{"could it be pizza instead", "a fine dish"},
	} {
		who := "user" + string(rune('0'+i))
		if got := reply(t, s.url, who, "bring me food"); !slices.Equal(got, []string{"how about sushi?"}) {
			t.Errorf("the order was answered with %q", got)
		}
		if got := reply(t, s.url, who, answer.text); !slices.Equal(got, []string{answer.want}) {
			t.Errorf("%q was answered with %q, want %q", answer.text, got, answer.want)
		}
	}
	// The entity of the last text has filled its slot, which that answer was too early for.
	if got := transcript(t, s.url, "user5"); !strings.Contains(got, "  entities: dish 12-17 pizza TEDPolicy\n") || !strings.HasSuffix(got, "  bot: a fine dish\n  slot: dish \"pizza\"\n  action: TEDPolicy action_listen\n") {
		t.Errorf("pizza was not noted:\n%s", got)
	}
}
