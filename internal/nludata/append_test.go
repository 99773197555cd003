package nludata_test

import (
	"errors"
	"testing"

	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestExamplesGoToTheirIntents(t *testing.T) {
	const file = `# mine
version: "3.1"
nlu:
- intent: greet  # hello
  examples: |
    - hello
    - hi

- intent: inform
  examples: |
      - in [Rome](city)
# the end
- lookup: city
  examples: |
    - Rome
`
	examples := []nludata.Example{
		{Intent: "greet", Text: "hi"},
		{Intent: "greet", Text: "good day"},
		{Intent: "inform", Text: "in Oslo", Entities: []nludata.Entity{{Start: 3, End: 7, Entity: "city", Value: "Oslo"}}},
		{Intent: "faq", IntentResponseKey: "faq/name", Text: "who are you"},
		{Intent: "greet", Text: "good day"},
		{Intent: "thank", Text: " two\nlines"},
	}
	const want = `# mine
version: "3.1"
nlu:
- intent: greet  # hello
  examples: |
    - hello
    - hi
    - good day

- intent: inform
  examples: |
      - in [Rome](city)
      - in [Oslo](city)
# the end
- lookup: city
  examples: |
    - Rome
- intent: faq/name
  examples: |
    - who are you
- intent: thank
  examples:
  - text: " two\nlines"
`
	got, added, err := nludata.AppendExamples([]byte(file), examples)
	if err != nil || added != 4 || string(got) != want {
		t.Errorf("got %d, %v\n%s", added, err, got)
	}
	if again, added, err := nludata.AppendExamples(got, examples[:4]); err != nil || added != 0 || string(again) != want {
		t.Errorf("the second time: %d, %v\n%s", added, err, again)
	}
	if created, _, err := nludata.AppendExamples(nil, examples[:1]); err != nil || string(created) != "version: \"3.1\"\nnlu:\n- intent: greet\n  examples: |\n    - hi\n" {
		t.Errorf("a new file: %v\n%s", err, created)
	}
	if _, _, err := nludata.AppendExamples([]byte("nlu: {"), examples); !errors.Is(err, yamlfile.ErrCantAppend) {
		t.Errorf("a broken file: %v", err)
	}
}
