package emulate_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/emulate"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// parses are the plain results of the recorded messages.
var parses = map[string]string{
	"hello, in Berlin for 4 people": `{"text": "hello, in Berlin for 4 people", "intent": {"name": "greet", "confidence": 1.0}, "entities": [
		{"entity": "number", "start": 21, "end": 22, "value": "4", "extractor": "RegexEntityExtractor"},
		{"entity": "city", "start": 10, "end": 16, "value": "Berlin", "extractor": "RegexEntityExtractor"}]}`,
	"qwertz": `{"text": "qwertz", "intent": {"name": "nlu_fallback", "confidence": 0.7}, "entities": [],
		"intent_ranking": [{"name": "nlu_fallback", "confidence": 0.7}]}`,
	"hello": `{"text": "hello", "intent": {"name": "greet", "confidence": 1.0}, "entities": []}`,
}

func TestResultsAsRecorded(t *testing.T) {
	data, err := os.ReadFile(sharedtest.Dir(t, "data", "golden", "http", "model.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded struct {
		Exchanges []struct {
			ID      string
			Request struct {
				Query map[string]any
				JSON  any
			}
			Response struct{ JSON any }
		}
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, e := range recorded.Exchanges {
		name, _ := e.Request.Query["emulation_mode"].(string)
		mode, ok := emulate.ParseMode(name)
		if !ok || !strings.HasPrefix(e.ID, "parse-emulation") {
			continue
		}
		text, ok := emulate.Text(e.Request.JSON.(map[string]any)["text"])
		if !ok || parses[text] == "" {
			t.Errorf("%s: no text, or not one of this test: %q", e.ID, text)
			continue
		}
		compared++
		var parse map[string]any
		if err := json.Unmarshal([]byte(parses[text]), &parse); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(e.Response.JSON, plain(t, mode.Result(parse))); d != "" {
			t.Errorf("%s: %s", e.ID, d)
		}
	}
	if compared < 10 {
		t.Errorf("only %d exchanges were compared", compared)
	}
}

var responseID = regexp.MustCompile(`"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"`)

func plain(t *testing.T, v any) any {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(responseID.ReplaceAll(data, []byte(`"<uuid>"`)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestModesIgnoreCase(t *testing.T) {
	if m, ok := emulate.ParseMode("wit"); !ok || m != emulate.Wit {
		t.Errorf("got %q, %v", m, ok)
	}
	if _, ok := emulate.ParseMode("OTHER"); ok {
		t.Error("OTHER was accepted")
	}
}

func TestRolesAndOddEntities(t *testing.T) {
	parse := map[string]any{"text": "Köln", "intent": map[string]any{"name": nil, "confidence": 0.0}, "entities": []any{
		map[string]any{"entity": "city", "role": "to", "start": int64(0), "end": int64(4), "value": "Cologne", "confidence_entity": 0.9},
		map[string]any{"entity": "$instance", "start": 3.0, "end": 99.0, "value": 1},
	}}
	for _, m := range []emulate.Mode{emulate.Wit, emulate.LUIS, emulate.Dialogflow} {
		if m.Result(parse) == nil {
			t.Errorf("%s gives nothing", m)
		}
	}
	wit := emulate.Wit.Result(parse)["entities"].(map[string]any)
	if e := wit["city:to"].([]any)[0].(map[string]any); e["body"] != "Köln" || e["value"] != "Cologne" {
		t.Errorf("got %v", e)
	}
}
