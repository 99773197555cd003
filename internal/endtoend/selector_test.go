package endtoend

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// post sends JSON and decodes the answer.
func post(t *testing.T, url string, body, into any) {
	t.Helper()
	encoded, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Post(url, "application/json", strings.NewReader(string(encoded)))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// answer is what the assistant says to one message of a new conversation; images
// come as messages of their own.
func answer(t *testing.T, url, text string) (texts []string) {
	t.Helper()
	return reply(t, url, text, text)
}

// reply is what the assistant says to a message of somebody's conversation.
func reply(t *testing.T, url, sender, text string) (texts []string) {
	t.Helper()
	var said []struct{ Text string }
	post(t, url+"/webhooks/rest/webhook", map[string]string{"sender": sender, "message": text}, &said)
	for _, s := range said {
		if s.Text != "" {
			texts = append(texts, s.Text)
		}
	}
	return texts
}

// parse gives the key that the selector of that name chose for a text.
func parse(t *testing.T, url, text, name string) (intent, key string) {
	t.Helper()
	var result struct {
		Intent    struct{ Name string }
		Selectors map[string]json.RawMessage `json:"response_selector"`
	}
	post(t, url+"/model/parse", map[string]string{"text": text}, &result)
	var selector struct {
		Response struct {
			Key string `json:"intent_response_key"`
		}
	}
	if err := json.Unmarshal(result.Selectors[name], &selector); err != nil {
		t.Fatalf("%v in %s", err, result.Selectors)
	}
	return result.Intent.Name, selector.Response.Key
}

// The bot of Rasa's documentation answers each of its questions with one of the
// variations of the right response.
func TestRetrievalBotAnswersEveryQuestion(t *testing.T) {
	bot := sharedtest.Dir(t, "data", "bots", "rasa-responseselectorbot")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(bot)); err != nil {
		t.Fatal(err)
	}
	replace(t, filepath.Join(dir, "credentials.yml"), "rest:\n")
	run(t, dir, "train")
	s := startServer(t, dir)
	name := []string{"hello, my name is retrieval bot.", "Oh yeah, I am called the retrieval bot."}
	weather := []string{"Oh, it does look sunny right now in Berlin.", "I am not sure of the whole week but I can see the sun is out today."}
	for _, q := range []struct {
		text, key string
		answers   []string
	}{
		{"What is your name?", "chitchat/ask_name", name},
		{"May I know your name?", "chitchat/ask_name", name},
		{"What do people call you?", "chitchat/ask_name", name},
		{"Do you have a name for yourself?", "chitchat/ask_name", name},
		{"What's the weather like today?", "chitchat/ask_weather", weather},
		{"Does it look sunny outside today?", "chitchat/ask_weather", weather},
		{"Oh, do you mind checking the weather for me please?", "chitchat/ask_weather", weather},
		{"I like sunny days in Berlin.", "chitchat/ask_weather", weather},
		{"how is the weather in Berlin", "chitchat/ask_weather", weather},
	} {
		if intent, key := parse(t, s.url, q.text, "default"); intent != "chitchat" || key != q.key {
			t.Errorf("%q is of %s, its response %s", q.text, intent, key)
		}
		if got := answer(t, s.url, q.text); len(got) != 1 || !slices.Contains(q.answers, got[0]) {
			t.Errorf("%q is answered with %q", q.text, got)
		}
	}
	if got := answer(t, s.url, "hello"); len(got) != 1 || got[0] != "Hey! How are you?" {
		t.Errorf("hello is answered with %q", got)
	}
	shell := command(t, dir, "shell")
	shell.Stdin = strings.NewReader("What is your name?\n/stop\n")
	out, err := shell.Output()
	if err != nil || !strings.Contains(string(out), name[0]) && !strings.Contains(string(out), name[1]) {
		t.Errorf("the shell says (%v):\n%s", err, out)
	}
}

func replace(t *testing.T, file, content string) {
	t.Helper()
	if err := os.Chmod(filepath.Dir(file), 0o700); err != nil { // shared data is read-only
		t.Fatal(err)
	}
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Selectors of their own for two retrieval intents, responses in the domain, and
// out_of_scope, which is an intent like any other.
func TestSelectorsOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"credentials.yml": "rest:\n",
		"config.yml": `recipe: default.v1
assistant_id: selectors
language: en
pipeline:
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- {name: DIETClassifier, epochs: 100}
- {name: ResponseSelector, retrieval_intent: faq, epochs: 100}
- {name: ResponseSelector, retrieval_intent: chitchat, epochs: 100, use_text_as_label: true}
- {name: FallbackClassifier, threshold: 0.4}
policies:
- name: RulePolicy
`,
		"domain.yml": `version: "3.1"
intents: [greet]
responses:
  utter_greet: [{text: Hello}]
  utter_out_of_scope: [{text: I only know about our shop}]
  utter_faq/open: [{text: From nine}]
  utter_faq/price: [{text: Ten euros}]
  utter_chitchat/name: [{text: I am Loquat}]
  utter_chitchat/joke: [{text: No jokes today}]
`,
		"data/rules.yml": `version: "3.1"
rules:
- {rule: faq, steps: [{intent: faq}, {action: utter_faq}]}
- {rule: chitchat, steps: [{intent: chitchat}, {action: utter_chitchat}]}
- {rule: scope, steps: [{intent: out_of_scope}, {action: utter_out_of_scope}]}
- {rule: greet, steps: [{intent: greet}, {action: utter_greet}]}
`,
		"data/nlu.yml": `version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - good morning
    - hi there
- intent: out_of_scope
  examples: |
    - order me a pizza
    - book a flight to Rome
    - who won the game
- intent: faq/open
  examples: |
    - when do you open
    - opening hours please
    - are you open on sunday
- intent: faq/price
  examples: |
    - what does it cost
    - tell me the price
    - how much is it
- intent: chitchat/name
  examples: |
    - what is your name
    - who are you
    - do you have a name
- intent: chitchat/joke
  examples: |
    - tell me a joke
    - make me laugh
    - say something funny
`,
	} {
		replace(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
	run(t, dir, "train")
	s := startServer(t, dir)
	for _, q := range []struct{ text, selector, key, answer string }{
		{"when do you open", "faq", "faq/open", "From nine"},
		{"tell me the price please", "faq", "faq/price", "Ten euros"},
		{"what is your name", "chitchat", "chitchat/name", "I am Loquat"},
		{"tell me a joke", "chitchat", "chitchat/joke", "No jokes today"},
		{"book a flight to Rome", "", "", "I only know about our shop"},
		{"good morning", "", "", "Hello"},
		{"/out_of_scope", "", "", "I only know about our shop"},
	} {
		if q.selector != "" {
			if intent, key := parse(t, s.url, q.text, q.selector); intent != q.selector || key != q.key {
				t.Errorf("%q is of %s, its response %s", q.text, intent, key)
			}
		}
		if got := answer(t, s.url, q.text); len(got) != 1 || got[0] != q.answer {
			t.Errorf("%q is answered with %q", q.text, got)
		}
	}
}
