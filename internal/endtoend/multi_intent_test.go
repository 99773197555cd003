package endtoend

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// Labels of several intents are labels like any other: the ranking has those that
// training knows and makes up none, as in Rasa 3.6.21.
func TestSeveralIntentsInOneMessage(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"credentials.yml": "rest:\n",
		"config.yml": `recipe: default.v1
assistant_id: several
language: en
pipeline:
- name: WhitespaceTokenizer
  intent_tokenization_flag: true
  intent_split_symbol: "+"
- name: CountVectorsFeaturizer
- {name: DIETClassifier, epochs: 100}
policies:
- name: RulePolicy
`,
		"domain.yml": `version: "3.1"
intents: [greet, ask_time, ask_price, greet+ask_time]
responses:
  utter_both: [{text: Hello it is noon}]
  utter_time: [{text: It is noon}]
`,
		"data/rules.yml": `version: "3.1"
rules:
- {rule: both, steps: [{intent: greet+ask_time}, {action: utter_both}]}
- {rule: time, steps: [{intent: ask_time}, {action: utter_time}]}
`,
		"data/nlu.yml": `version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - hi there
    - good morning
- intent: ask_time
  examples: |
    - what time is it
    - tell me the time
- intent: ask_price
  examples: |
    - what does it cost
    - tell me the price
- intent: greet+ask_time
  examples: |
    - hello what time is it
    - hi tell me the time
    - good morning what is the time
`,
	} {
		replace(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
	run(t, dir, "train")
	s := startServer(t, dir)
	for text, want := range map[string]string{
		"hello what time is it": "greet+ask_time", "what time is it": "ask_time", "hello": "greet", "tell me the price": "ask_price",
	} {
		var result struct {
			Intent  struct{ Name string }
			Ranking []struct{ Name string } `json:"intent_ranking"`
		}
		post(t, s.url+"/model/parse", map[string]string{"text": text}, &result)
		if result.Intent.Name != want {
			t.Errorf("%q is %s, want %s", text, result.Intent.Name, want)
		}
		var names []string
		for _, r := range result.Ranking {
			names = append(names, r.Name)
		}
		slices.Sort(names)
		if !slices.Equal(names, []string{"ask_price", "ask_time", "greet", "greet+ask_time"}) {
			t.Errorf("%q has the ranking %v", text, names)
		}
	}
	for text, want := range map[string]string{"hi what time is it": "Hello it is noon", "/greet+ask_time": "Hello it is noon", "what time is it": "It is noon"} {
		if got := answer(t, s.url, text); len(got) != 1 || got[0] != want {
			t.Errorf("%q is answered with %q", text, got)
		}
	}
}
