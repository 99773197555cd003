package golden

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// httpFile is one recorded session with a server.
type httpFile struct {
	Setup struct {
		Command string `json:"command"`
		Models  string `json:"models"`
	} `json:"setup"`
	Concurrent struct {
		Answers []struct {
			Message string          `json:"message"`
			Status  int             `json:"status"`
			JSON    json.RawMessage `json:"json"`
		} `json:"answers"`
	} `json:"concurrent_messages_of_one_conversation"` // limits.json
	Exchanges []exchange               `json:"exchanges"`
	Events    map[string][]eventRecord `json:"events"` // tracker_events.json
	name      string
}

// exchange is a request and its recorded answer.
type exchange struct {
	ID      string `json:"id"`
	Request struct {
		Method    string            `json:"method"`
		Path      string            `json:"path"`
		Query     map[string]string `json:"query"`
		Headers   map[string]string `json:"headers"`
		JSON      json.RawMessage   `json:"json"`
		Text      *string           `json:"text"`
		Raw       string            `json:"raw"`
		Generated *struct {
			Prefix, Repeat, Suffix string
			Times                  int
		} `json:"generated"`
	} `json:"request"`
	Response struct {
		Status     int               `json:"status"`
		StatusLine string            `json:"status_line"`
		Headers    map[string]string `json:"headers"`
		JSON       json.RawMessage   `json:"json"`
		Text       *string           `json:"text"`
		Lines      []json.RawMessage `json:"lines"`
		Page       *struct{}         `json:"html_error_page"`
		Empty      bool              `json:"empty"`
		Binary     string            `json:"binary"`
		NoAnswer   float64           `json:"no_answer_within_seconds"`
	} `json:"response"`
	ActionCalls []actionCall `json:"action_calls"`
}

// eventRecord is an event that was posted to a fresh conversation, and what came
// of it.
type eventRecord struct {
	Posted   json.RawMessage `json:"posted"`
	Status   int             `json:"status"`
	Returned json.RawMessage `json:"returned"`
	Tracker  json.RawMessage `json:"tracker"`
	Error    json.RawMessage `json:"error"`
}

type actionCall struct {
	NextAction string `json:"next_action"`
	Answer     struct {
		Status int             `json:"status"`
		JSON   json.RawMessage `json:"json"`
	} `json:"answer"`
}

func readHTTPFile(dir, name string) (*httpFile, error) {
	f := &httpFile{name: name}
	return f, load(dir, "http/"+name, f)
}

// flags are the options that the server was started with, without those that
// name files and ports.
func (f *httpFile) flags() []string {
	var out []string
	words := strings.Fields(f.Setup.Command)
	for i := 0; i < len(words); i++ {
		switch words[i] {
		case "rasa", "run":
		case "--endpoints", "--credentials":
			i++
		default:
			out = append(out, words[i])
		}
	}
	return out
}

// conversation names the conversation that an exchange is about, "" if none.
func (e *exchange) conversation() string {
	if rest, ok := strings.CutPrefix(e.Request.Path, "/conversations/"); ok {
		for _, suffix := range []string{"/tracker/events", "/tracker", "/story", "/execute", "/trigger_intent", "/predict", "/messages"} {
			if id, ok := strings.CutSuffix(rest, suffix); ok {
				id, _ = url.PathUnescape(id)
				return id
			}
		}
	}
	var body struct{ Sender any }
	if json.Unmarshal(e.Request.JSON, &body) == nil && body.Sender != nil {
		return fmt.Sprint(body.Sender)
	}
	return ""
}

// unbuiltRoutes are the routes of Rasa that the server answers with 501, and the
// channels that it doesn't have.
var unbuiltRoutes = []string{
	"/webhooks/callback/webhook",
}

func (e *exchange) needsUnbuiltRoute() bool {
	// Who may not pass is refused all the same, and so is a method that does not exist.
	if slices.Contains([]int{401, 403, 404, 405}, e.Response.Status) {
		return false
	}
	return slices.Contains(unbuiltRoutes, e.Request.Path) && e.Request.Method != "OPTIONS"
}
