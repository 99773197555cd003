package httpapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestStory(t *testing.T) {
	s := newServer(t, nil)
	if status, body := ask(t, s, "GET", "/conversations/a/story", ""); status != 404 || !strings.Contains(body, "Conversation ID not found.") {
		t.Errorf("%d %s", status, body)
	}
	events := `[{"event":"action","name":"action_session_start"},{"event":"session_started"},{"event":"user","text":"hi","timestamp":10,
		"parse_data":{"intent":{"name":"greet"},"entities":[],"text":"hi"}},{"event":"action","name":"utter_hi"},
		{"event":"action","name":"action_session_start"},{"event":"session_started"},{"event":"slot","name":"city","value":"Rome","timestamp":20}]`
	if status, body := ask(t, s, "PUT", "/conversations/a/tracker/events", events); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	for query, want := range map[string]string{
		"":                    "story: a steps: - slot_was_set: - city: Rome",
		"?all_sessions=TRUE":  "story: a, story 1 steps: - intent: greet user: hi - action: utter_hi - story: a, story 2",
		"?until=0":            "story: a steps: []", // events without a time are before everything
		"?all_sessions=maybe": "story: a steps:",
	} {
		if status, body := ask(t, s, "GET", "/conversations/a/story"+query, ""); status != 200 || !strings.Contains(strings.Join(strings.Fields(body), " "), want) {
			t.Errorf("%s: %d\n%s", query, status, body)
		}
	}
}

// Before the first event there is no story (golden/http).
func TestStoryOfNothing(t *testing.T) {
	s := newServer(t, nil)
	if status, body := ask(t, s, "PUT", "/conversations/a/tracker/events", `[{"event":"slot","name":"city","value":"Rome","timestamp":10}]`); status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	if _, body := ask(t, s, "GET", "/conversations/a/story?until=5", ""); strings.Contains(body, "stories") {
		t.Error(body)
	}
}

func TestExecute(t *testing.T) {
	s := newServer(t, nil)
	const path = "/conversations/a/execute?include_events=ALL"
	if status, _ := ask(t, s, "POST", path, `{"name":"utter_hi"}`); status != 404 {
		t.Errorf("unknown conversation: %d", status)
	}
	ask(t, s, "GET", "/conversations/a/tracker", "")
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"name":"utter_hi","policy":"P","confidence":0.5}`, 200, `"name":"utter_hi","policy":"P","confidence":0.5`},
		{`{"name":"utter_hi"}`, 200, `"policy":null,"confidence":0.0`},
		{`{"name":"utter_hi"}`, 200, `"messages":[{"recipient_id":"a","text":"ran utter_hi"}]`},
		{`{"name":"unknown"}`, 500, `"reason":"ConversationError"`},
		{`{"policy":"P"}`, 400, `"details":{"in":"body","parameter":"name"}`},
		{`{"name":"utter_hi","confidence":"high"}`, 400, `"parameter":"confidence"`},
		{`{"name":"utter_hi","policy":7}`, 400, `"parameter":"policy"`},
		{`{`, 400, "Failed when parsing body as json"},
		{``, 500, ""},
	} {
		if status, body := ask(t, s, "POST", path, c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
}

func TestMessages(t *testing.T) {
	s := newServer(t, nil)
	for _, c := range []struct {
		body   string
		status int
		want   string
	}{
		{`{"text":"hi","sender":"user"}`, 200, `"text":"hi"`},
		{`{"text":"hi","sender":"user","parse_data":{"intent":{"name":"greet","confidence":0.5},"entities":[{"entity":"city","value":"Rome"}]}}`, 200, `"name":"greet"`},
		{`{"text":"hi","sender":"user","parse_data":{"intent":{"name":"greet"}}}`, 400, "parse_data.entities"},
		{`{"text":"hi","sender":"user","parse_data":{"intent":{"name":7},"entities":[]}}`, 400, "parse_data.intent.name"},
		{`{"text":"hi","sender":"user","parse_data":[]}`, 400, "parse_data"},
		{`{"text":7,"sender":"user"}`, 400, `"parameter":"text"`},
		{`{"text":"hi","sender":"bot"}`, 400, `"parameter":"sender"`},
		{`{"text":"hi"}`, 400, `"parameter":"sender"`},
		{``, 400, "No message defined in request body."},
		{`x`, 400, "Failed when parsing body as json"},
	} {
		if status, body := ask(t, s, "POST", "/conversations/a/messages", c.body); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s", c.body, status, body)
		}
	}
}

func TestPredictionsAreSorted(t *testing.T) {
	s := newServer(t, nil)
	if status, _ := ask(t, s, "POST", "/conversations/a/predict", ""); status != 404 {
		t.Errorf("unknown conversation: %d", status)
	}
	ask(t, s, "GET", "/conversations/a/tracker", "")
	for _, c := range []struct{ target, body, want string }{
		{"/conversations/a/predict", "", `[{"action":"c","score":0.5},{"action":"a","score":0.25},{"action":"b","score":0.25}]`},
		{"/model/predict", "[]", `[{"action":"b","score":0.25},{"action":"c","score":0.5},{"action":"a","score":0.25}]`},
	} {
		status, body := ask(t, s, "POST", c.target, c.body)
		if status != 200 || !strings.Contains(body, `"scores":`+c.want+`,"policy":"P","confidence":0.5,"tracker":{`) {
			t.Errorf("%s: %d %s", c.target, status, body)
		}
	}
	for body, want := range map[string]string{"": "no list", "{}": "no list", `[{"event":"nope"}]`: "nope", `[`: "parsing"} {
		if status, got := ask(t, s, "POST", "/model/predict", body); status != 400 || !strings.Contains(got, want) {
			t.Errorf("%q: %d %s", body, status, got)
		}
	}
}

func TestDomainByAccept(t *testing.T) {
	s := newServer(t, nil)
	for accept, want := range map[string]string{
		"application/json": `{"session_config":`, "*/*": `{"session_config":`, "application/x-yaml": "session_config:\n  session_expiration_time: 60\n", "text/yml": "session_config:\n",
	} {
		if status, body := ask(t, s, "GET", "/domain", "", "Accept", accept); status != 200 || !strings.HasPrefix(body, want) {
			t.Errorf("%s: %d %s", accept, status, body)
		}
	}
	if status, body := ask(t, s, "GET", "/domain", "", "Accept", "text/html"); status != 406 || !strings.Contains(body, "NotAcceptable") {
		t.Errorf("%d %s", status, body)
	}
}

func TestModelIsExchanged(t *testing.T) {
	s := newServer(t, nil)
	status := func() int { code, _ := ask(t, s, "GET", "/status", ""); return code }
	for _, c := range []struct {
		method, body string
		status       int
		want         string
		then         int // of GET /status
	}{
		{"PUT", `{"model_file":"models/bad.tar.gz"}`, 400, "Agent with name 'models/bad.tar.gz' could not be loaded.", 200},
		{"PUT", `{}`, 400, `"parameter":"model"`, 200},
		{"PUT", ``, 400, "No path to model file", 200},
		{"PUT", `7`, 400, "no object", 200},
		{"PUT", `{"model_server":"http://x"}`, 400, `"parameter":"model_server"`, 200},
		{"PUT", `{"model_server":{"url":"http://x"}}`, 501, "model_server", 200},
		{"PUT", `{"model_file":"models/good.tar.gz","remote_storage":"aws"}`, 501, "aws", 200},
		{"PUT", `{"model_file":"models/good.tar.gz","remote_storage":"no.such.module"}`, 400, "no.such.module", 200},
		{"DELETE", ``, 204, "", 409},
		{"DELETE", ``, 204, "", 409},
		{"PUT", `{"model_file":"models/good.tar.gz"}`, 204, "", 200},
	} {
		code, body := ask(t, s, c.method, "/model", c.body)
		if code != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s %s: %d %s", c.method, c.body, code, body)
		}
		if got := status(); got != c.then {
			t.Errorf("after %s %s /status is %d", c.method, c.body, got)
		}
	}
}

// What is said in a message or posted as event never breaks the answer.
func FuzzStoryOfEvents(f *testing.F) {
	f.Add(`[{"event":"user","text":"a [b](c)","parse_data":{"intent":{"name":"i"},"entities":[{"entity":"e","start":0,"end":3,"value":{"x":1}}]}}]`)
	f.Add(`[{"event":"slot","name":"","value":[null,{"a":1e300}]},{"event":"active_loop","name":null}]`)
	f.Fuzz(func(t *testing.T, body string) {
		var events []json.RawMessage
		if json.Unmarshal([]byte(body), &events) != nil || len(events) == 0 {
			return
		}
		s := newServer(t, nil)
		if status, _ := ask(t, s, "PUT", "/conversations/a/tracker/events", body); status != 200 {
			return
		}
		if status, answer := ask(t, s, "GET", "/conversations/a/story", ""); status != 200 {
			t.Errorf("%d %s", status, answer)
		}
	})
}
