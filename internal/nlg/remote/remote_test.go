package remote_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/nlg/remote"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

const domainYAML = `version: "3.1"
slots:
  name: {type: text, mappings: [{type: custom}], initial_value: Ada}
responses:
  utter_plain: [{text: "hi {name}"}]
  utter_two: [{text: one, id: first}, {text: two, id: second}]
  utter_condition: [{text: any, id: any}, {text: cond, id: condid, condition: [{type: slot, name: name, value: Ada}]}]
  utter_same: [{text: one, id: same}, {text: two, id: same}]
  utter_never: [{text: cond, id: condid, condition: [{type: slot, name: name, value: Bob}]}]
  utter_half: [{text: f, id: "5"}, {text: g}]
`

func testDomain(t *testing.T) *domain.Domain {
	t.Helper()
	var problems diag.List
	d := domain.Read(yamlfile.Parse([]byte(domainYAML), "domain.yml", &problems), &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	d.Complete()
	return d
}

// generate asks a server that answers with body, and returns what it was asked.
func generate(t *testing.T, r nlg.Request, answer func(http.ResponseWriter)) (content map[string]any, asked map[string]any, err error) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
			t.Error(err)
		}
		asked["query"], asked["header"] = r.URL.RawQuery, r.Header.Get("X-A")
		w.Header().Set("Content-Type", "application/json")
		answer(w)
	}))
	defer s.Close()
	d := testDomain(t)
	g, err := remote.New(endpoint.Settings{URL: s.URL + "/nlg", Token: "tok", Headers: map[string]string{"X-A": "b"}}, d)
	if err != nil {
		t.Fatal(err)
	}
	r.Tracker, r.Channel = tracker.New("ada", d), "rest"
	content, err = g.Generate(t.Context(), r)
	return content, asked, err
}

func body(text string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) { fmt.Fprint(w, text) }
}

// Expectations are what Rasa 3.6.21 sent for the same domain.
func TestRequestIsThatOfRasa(t *testing.T) {
	for name, id := range map[string]any{
		"utter_plain": nil, "utter_two": "first", "utter_condition": "condid", "utter_same": nil, "utter_never": nil, "utter_half": "5",
	} {
		_, asked, err := generate(t, nlg.Request{Name: name}, body(`{"text":"x"}`))
		if err != nil {
			t.Fatal(err)
		}
		state, _ := asked["tracker"].(map[string]any)
		if asked["response"] != name || asked["id"] != id || state["sender_id"] != "ada" || state["events"] == nil {
			t.Errorf("%s: %v", name, asked)
		}
		if asked["channel"].(map[string]any)["name"] != "rest" || len(asked["arguments"].(map[string]any)) != 0 || asked["query"] != "token=tok" || asked["header"] != "b" {
			t.Errorf("%s: %v", name, asked)
		}
	}
}

func TestArgumentsOfActionsArePassedOn(t *testing.T) {
	_, asked, err := generate(t, nlg.Request{Name: "utter_two", Arguments: map[string]any{"response": "utter_two", "degrees": 21}}, body(`{}`))
	if arguments := asked["arguments"].(map[string]any); err != nil || len(arguments) != 1 || arguments["degrees"] != 21.0 || asked["id"] != nil {
		t.Errorf("%v, %v", asked, err)
	}
}

func TestAnswerIsSaidAsItIs(t *testing.T) {
	content, _, err := generate(t, nlg.Request{Name: "utter_plain"}, body(
		`{"text":"hello {name}","id":"zz","buttons":[{"title":"T","payload":"/x"}],"image":null,"custom":{"k":1},"attachment":{"a":1},"elements":[],"foo":"bar"}`))
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(content)
	if want := `{"attachment":{"a":1},"buttons":[{"payload":"/x","title":"T"}],"custom":{"k":1},"elements":[],"foo":"bar","image":null,"text":"hello {name}"}`; string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if content, _, err := generate(t, nlg.Request{Name: "utter_plain"}, body(`{}`)); err != nil || len(content) != 0 {
		t.Errorf("an empty answer: %v, %v", content, err)
	}
}

// Each of these fails in Rasa too, but for items of lists and what is too large.
func TestWrongAnswersAreErrors(t *testing.T) {
	for answer, want := range map[string]string{
		`{"text":null}`: "text is no string", `{"text":5}`: "text is no string", `["x"]`: "not a JSON object", `null`: "not a JSON object",
		`{"text":"x","buttons":"b"}`: "buttons is no list", `{"text":"x","buttons":["b"]}`: "buttons[0] is not an object",
		`{"text":"x","attachment":"b"}`: "attachment is no object", `{"image":{"b":1}}`: "image is no string",
		``: "not valid JSON", `not json`: "not valid JSON", `{} {}`: "not valid JSON",
		`{"custom":` + strings.Repeat("[", 1000): "nested more than", `{"text":"` + strings.Repeat("x", 17<<20): "more than 16777216 bytes",
	} {
		if content, _, err := generate(t, nlg.Request{Name: "utter_plain"}, body(answer)); err == nil || !strings.Contains(err.Error(), want) || content != nil {
			t.Errorf("%.40s: got %v, %v", answer, content, err)
		}
	}
	for _, status := range []int{400, 404, 500} {
		_, _, err := generate(t, nlg.Request{Name: "utter_plain"}, func(w http.ResponseWriter) { w.WriteHeader(status); fmt.Fprint(w, `{"text":"x"}`) })
		if err == nil || !strings.Contains(err.Error(), fmt.Sprint("answered ", status)) || strings.Contains(err.Error(), "tok") {
			t.Errorf("%d: %v", status, err)
		}
	}
	_, _, err := generate(t, nlg.Request{Name: "utter_plain"}, func(w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `{"text":"x"}`)
	})
	if err == nil || !strings.Contains(err.Error(), `"text/html", not application/json`) {
		t.Errorf("HTML: %v", err)
	}
}

// hanging never answers.
type hanging struct{}

// RoundTrip waits until the caller gives up.
func (hanging) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestAServerThatHangsIsGivenUp(t *testing.T) {
	d := testDomain(t)
	synctest.Test(t, func(t *testing.T) {
		g, err := remote.New(endpoint.Settings{URL: "http://nlg.example", Wrap: func(http.RoundTripper) http.RoundTripper { return hanging{} }}, d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.Generate(t.Context(), nlg.Request{Name: "utter_plain", Tracker: tracker.New("a", d)}); err == nil || !strings.Contains(err.Error(), "no answer from http://nlg.example") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(`{"text":"a","buttons":[{"title":"x"}],"custom":{}}`)
	d := &domain.Domain{}
	d.Complete()
	f.Fuzz(func(t *testing.T, text string) {
		content, err := remote.Parse([]byte(text))
		if err == nil {
			_ = nlg.Message(nlg.BotEvent(content))
		}
	})
}
