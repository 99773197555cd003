package validate_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/validate"
)

// check validates a project of files; config.yml is added where it is missing.
func check(t *testing.T, o validate.Options, files map[string]string) []string {
	t.Helper()
	dir := t.TempDir()
	if files["config.yml"] == "" {
		files["config.yml"] = "recipe: default.v1\nassistant_id: a\nlanguage: en\npipeline: []\npolicies:\n- name: RulePolicy\n"
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var problems diag.List
	p := project.Load(dir, project.DefaultPaths(), &problems)
	found, err := validate.Check(context.Background(), p, o)
	if err != nil {
		t.Fatal(err)
	}
	problems.AddAll(found)
	var lines []string
	for _, p := range problems.All() {
		lines = append(lines, p.Error())
	}
	return lines
}

// has fails unless one of the lines contains the text.
func has(t *testing.T, lines []string, text string) {
	t.Helper()
	for _, l := range lines {
		if strings.Contains(l, text) {
			return
		}
	}
	t.Errorf("%q is missing in:\n%s", text, strings.Join(lines, "\n"))
}

const domainText = `intents: [greet, inform]
entities: [city]
slots:
  city: {type: text, mappings: [{type: from_entity, entity: city, conditions: [{active_loop: trip_form}]}]}
forms:
  trip_form: {required_slots: [city, day]}
responses:
  utter_greet:
  - text: hi
`

func TestPartsMustKnowEachOther(t *testing.T) {
	lines := check(t, validate.Options{Types: app.Catalog()}, map[string]string{
		"domain.yml":   domainText,
		"data/nlu.yml": "nlu:\n- intent: greet\n  examples: |\n    - hi\n- intent: hello\n  examples: |\n    - hi\n",
		"data/stories.yml": `stories:
- story: s
  steps:
  - intent: gret
  - action: utter_gret
  - action: action_missing
  - slot_was_set:
    - citty: x
  - active_loop: trap_form
`,
	})
	for _, want := range []string{
		`data/nlu.yml:7:7: warning: the NLU data has examples of intent "hello", which the domain does not list [unlisted-intent]`,
		`data/nlu.yml:7:7: warning: the example "hi" has several intents: greet, hello [ambiguous-example]`,
		`data/stories.yml:4:13: warning: intent "gret" is not declared in the domain [unknown-intent]`,
		"data/stories.yml:5:13: response \"utter_gret\" is not defined [unknown-response]\n    hint: did you mean \"utter_greet\"?",
		"data/stories.yml:6:13: action \"action_missing\" is not declared [unknown-action]\n    hint: add it below actions: of the domain",
		"data/stories.yml:8:7: slot \"citty\" is not declared [unknown-slot]\n    hint: did you mean \"city\" (domain.yml:4:3)?",
		"data/stories.yml:9:5: form \"trap_form\" is not declared [unknown-form]\n    hint: did you mean \"trip_form\" (domain.yml:6:3)?",
		`domain.yml:6:3: form "trip_form" requires slot "day", which is not declared [unknown-slot]`,
		`domain.yml:1:18: warning: intent "inform" has no examples in the NLU data [intent-without-examples]`,
		`domain.yml:9:5: warning: response "utter_greet" is not used in any story or rule [unused-response]`,
	} {
		has(t, lines, want)
	}
}

func TestRulesAreCheckedWithoutLearning(t *testing.T) {
	lines := check(t, validate.Options{Types: app.Catalog()}, map[string]string{
		"domain.yml":   "intents: [greet]\nresponses:\n  utter_a:\n  - text: a\n  utter_b:\n  - text: b\n",
		"data/nlu.yml": "nlu:\n- intent: greet\n  examples: |\n    - hi\n",
		"data/rules.yml": `rules:
- rule: one
  steps:
  - intent: greet
  - action: utter_a
stories:
- story: two
  steps:
  - intent: greet
  - action: utter_b
`,
	})
	has(t, lines, "[rule-contradiction]")
}

func TestConfigurationIsCheckedAsTrainingWould(t *testing.T) {
	files := map[string]string{
		"config.yml": "recipe: default.v1\nassistant_id: a\nlanguage: en\npipeline:\n- name: SpacyEntityExtractr\n- name: MitieFeaturizer\npolicies:\n- name: MemoizationPolicy\n",
		"domain.yml": domainText,
		"data/x.yml": "nlu:\n- intent: greet\n  examples: |\n    - hi\nrules:\n- rule: r\n  steps:\n  - intent: greet\n  - action: utter_greet\n",
	}
	lines := check(t, validate.Options{Types: app.Catalog()}, files)
	has(t, lines, "config.yml:5:9: there is no component \"SpacyEntityExtractr\" [unknown-component]\n    hint: did you mean \"SpacyEntityExtractor\"?")
	has(t, lines, "config.yml:6:9: MitieFeaturizer needs")
	has(t, lines, `config.yml:7:1: the domain has the form "trip_form", and forms need RulePolicy [no-rule-policy]`)
}

func TestOnlyWarningsThatCountFail(t *testing.T) {
	unused := diag.Problem{Severity: diag.Warning, Code: "unused-intent"}
	conflict := diag.Problem{Severity: diag.Warning, Code: "story-conflict"}
	wrong := diag.Problem{Severity: diag.Error, Code: "unknown-slot"}
	for _, c := range []struct {
		problems       []diag.Problem
		failOnWarnings bool
		want           bool
	}{
		{[]diag.Problem{unused, conflict}, false, false},
		{[]diag.Problem{unused}, true, false},
		{[]diag.Problem{unused, conflict}, true, true},
		{[]diag.Problem{wrong}, false, true},
	} {
		if got := validate.Failed(c.problems, c.failOnWarnings); got != c.want {
			t.Errorf("%v, %v: failed is %v", c.problems, c.failOnWarnings, got)
		}
	}
}

func TestNothingMoreThanStories(t *testing.T) {
	lines := check(t, validate.Options{StoriesOnly: true}, map[string]string{
		"domain.yml":       "intents: [a]\nresponses:\n  utter_x: [{text: x}]\n  utter_y: [{text: y}]\n",
		"data/stories.yml": "stories:\n- story: one\n  steps: [{intent: a}, {action: utter_x}]\n- story: two\n  steps: [{intent: a}, {action: utter_y}]\n",
	})
	if len(lines) != 1 {
		t.Errorf("got:\n%s", strings.Join(lines, "\n"))
	}
	has(t, lines, `stories that look the same go on differently after intent "a"`)
}
