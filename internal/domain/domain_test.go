package domain_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func read(text string) (*domain.Domain, string) {
	var problems diag.List
	d := domain.Read(yamlfile.Parse([]byte(text), "domain.yml", &problems), &problems)
	var lines []string
	for _, p := range problems.All() {
		lines = append(lines, p.Error())
	}
	return d, strings.Join(lines, "\n")
}

func TestTheFirstOfSeveralFilesWins(t *testing.T) {
	var problems diag.List
	parse := func(name, text string) *yamlfile.Node { return yamlfile.Parse([]byte(text), name, &problems) }
	d := domain.Read(domain.Merge([]*yamlfile.Node{
		parse("a.yml", "intents: [greet]\nresponses:\n  utter_x:\n  - text: first\nactions: [act]\nsession_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}\n"),
		parse("b.yml", "intents: [greet, bye]\nresponses:\n  utter_x:\n  - text: second\nactions: [act, my_form]\nsession_config: {session_expiration_time: 5}\n"),
		parse("c.yml", "forms:\n  my_form:\n    required_slots: []\n"),
	}, &problems), &problems)
	if got := d.Responses["utter_x"][0].Text; got != "first" {
		t.Errorf("the text is %q", got)
	}
	if d.Session.ExpirationMinutes != 5 {
		t.Errorf("sessions last %v minutes, want those of the first file that differs from the default", d.Session.ExpirationMinutes)
	}
	if len(d.Actions) != 1 || d.Form("my_form") == nil {
		t.Errorf("actions %v: the one that is a form elsewhere must go", d.Actions)
	}
	var got []string
	for _, p := range problems.All() {
		got = append(got, p.Error())
	}
	want := []string{
		"b.yml:1:11: warning: intent \"greet\" is declared in several domain files [duplicate-intent]\n    hint: the one at a.yml:1:11 counts; remove the other",
		"b.yml:3:3: warning: response \"utter_x\" is declared in several domain files [duplicate-response]\n    hint: the one at a.yml:3:3 counts; remove the other",
		"b.yml:5:11: warning: action \"act\" is declared in several domain files [duplicate-action]\n    hint: the one at a.yml:5:11 counts; remove the other",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestADomainSurvivesItsOwnJSON(t *testing.T) {
	d, _ := read(`intents: [b, a: {use_entities: false}]
slots:
  z: {type: float, max_value: 3, initial_value: 1.0, mappings: [{type: from_entity, entity: e}]}
  y: {type: text, mappings: []}
responses:
  utter_x:
  - text: "${NOT_A_VARIABLE}"
`)
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, problems := read(string(data))
	if problems != "" {
		t.Error(problems)
	}
	twice, _ := json.Marshal(again)
	if string(data) != string(twice) {
		t.Errorf("first  %s\nsecond %s", data, twice)
	}
	if again.Slots[0].Name != "z" || again.Slots[0].InitialValue != 1.0 || !again.Intent("a").UseNone {
		t.Errorf("slots and intents changed: %s", data)
	}
}

func TestProblemsNameThePlace(t *testing.T) {
	for text, want := range map[string]string{
		"intents: [a, a]": `domain.yml:1:14: intent "a" is declared twice [duplicate-intent]` + "\n    hint: the first one is at domain.yml:1:11; remove one of them",
		"slots:\n  s:\n    type: txt\n    mappings: []\n":                        `domain.yml:3:11: slot "s" has the unknown type "txt" [unknown-slot-type]` + "\n    hint: did you mean \"text\"?",
		"slots:\n  s:\n    type: my.Slot\n    mappings: []\n":                    `domain.yml:3:11: slot "s" has the type "my.Slot", a Python class, which can't run here [python-class]` + "\n    hint: use one of the types text, bool, categorical, float, list, any; categorical with values often serves",
		"slots:\n  s: {type: any, influence_conversation: true, mappings: []}\n": `domain.yml:2:42: slot "s" of type any can't influence the conversation [invalid-slot]` + "\n    hint: remove it, or choose another type",
		"slots:\n  s: {type: text}\n":                                            `domain.yml:2:3: slot "s" has no mappings [missing-mappings]` + "\n    hint: add mappings: with a list, maybe an empty one",
		"slots:\n  s: {type: float, min_value: 2, mappings: []}\n":               `domain.yml:2:3: slot "s" has the range 2.0 to 1.0, which is empty [invalid-slot]` + "\n    hint: make max_value larger than min_value",
		"responses:\n  utter_x:\n  - super: cool\n":                              `domain.yml:3:5: a variation of "utter_x" has neither text nor custom [invalid-response]` + "\n    hint: add text: or custom:",
		"forms:\n  f:\n": `domain.yml:2:3: form "f" has no settings [invalid-form]` + "\n    hint: add required_slots: [] below it",
		"version: 3.1\n": `domain.yml:1:10: the version must be in quotes, it is a number [invalid-version]` + "\n    hint: write version: \"3.1\"",
		"actions: [utter_gret]\nresponses: {utter_greet: [{text: a}]}": `domain.yml:1:11: warning: response "utter_gret" is listed as an action and not defined [missing-response]` + "\n    hint: did you mean \"utter_greet\"?",
		"entities:\n- e:\n": `domain.yml:2:3: entity "e" has a colon and no settings [invalid-domain]` + "\n    hint: remove the colon, or indent the settings below it",
		"slots:\n  s: {type: text, mappings: [{type: from_llm}]}\n": `domain.yml:2:37: slot "s" has a mapping of type "from_llm", which needs flows; flows are not built yet [not-built]` + "\n    hint: remove the slot, or fill it by from_entity, from_text, from_intent, from_trigger_intent, custom",
		"- a": "domain.yml:1:1: the domain must be a map, not a list [invalid-domain]\n    hint: a domain has the keys intents, entities, slots, responses, actions and forms",
	} {
		if _, got := read(text); got != want {
			t.Errorf("%q:\ngot:\n%s\nwant:\n%s", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("intents: [a, {b: {use_entities: [c]}}]\nslots: {s: {type: categorical, values: [1, null], mappings: [{type: custom}]}}")
	f.Add("version: '9'\nforms: {f: {required_slots: {a: b}}}\nresponses: {r: [{text: x, condition: [{}]}]}")
	f.Add("actions: [a, {f: {send_domain: true}}]\nentities: [{e: {roles: [x]}}]\ne2e_actions: [1]")
	f.Fuzz(func(t *testing.T, text string) {
		d, _ := read(text)
		for _, name := range d.IntentNames() {
			d.UsedEntities(name)
		}
		if _, err := json.Marshal(d); err != nil {
			t.Error(err)
		}
		var problems diag.List
		a := yamlfile.Parse([]byte(text), "a.yml", &problems)
		b := yamlfile.Parse([]byte(text), "b.yml", &problems)
		domain.Read(domain.Merge([]*yamlfile.Node{a, b}, &problems), &problems)
		domain.Read(domain.Override(a, b), &problems)
	})
}
