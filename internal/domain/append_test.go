package domain_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/domain"
)

func TestAdditionsLeaveTheRestOfADomainAlone(t *testing.T) {
	const file = `# mine
version: "3.1"
intents:
- greet   # hello
entities: [city]  # all
responses:
  utter_greet:
  - text: "Hello {name}!"   # hi

# end
`
	a := domain.Additions{
		Intents: []string{"greet", "bye"}, Entities: []string{"city", "place"},
		Actions: []string{"utter_greet", "utter_bye", "action_look"}, Texts: map[string]string{"utter_bye": "Bye: you", "utter_greet": "no"},
	}
	const want = `# mine
version: "3.1"
intents:
- greet   # hello
- bye
entities: [city, place]  # all
responses:
  utter_greet:
  - text: "Hello {name}!"   # hi
  utter_bye:
    - text: "Bye: you"

# end
actions:
- action_look
`
	got, err := a.AppendTo([]byte(file))
	if err != nil || string(got) != want {
		t.Errorf("got %v\n%s", err, got)
	}
	if again, err := a.AppendTo(got); err != nil || string(again) != want {
		t.Errorf("the second time: %v\n%s", err, again)
	}
	if created, err := (domain.Additions{Intents: []string{"a"}}).AppendTo(nil); err != nil || string(created) != "version: \"3.1\"\nintents:\n- a\n" {
		t.Errorf("a new file: %v\n%s", err, created)
	}
}
