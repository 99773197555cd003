package project_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// TestEndpointsAsRecorded compares with what Rasa 3.6.21 reads from each
// endpoints file of the sample assistants.
func TestEndpointsAsRecorded(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedtest.Dir(t, "data", "golden", "project"), "endpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]struct {
		Sections map[string]map[string]any `json:"sections"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	bots := sharedtest.Dir(t, "data", "bots")
	for file, r := range recorded {
		var problems diag.List
		e := project.ReadEndpoints(filepath.Join(bots, file), file, &problems)
		if err := problems.Err(); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		got := map[string]map[string]any{}
		for name, section := range map[string]*project.Endpoint{
			"action": e.Action, "nlg": e.NLG, "nlu": e.NLU, "model": e.Models, "tracker_store": e.TrackerStore,
			"lock_store": e.LockStore, "event_broker": e.EventBroker,
		} {
			if section != nil {
				got[name] = describe(section)
			}
		}
		if diff := cmp.Diff(r.Sections, got); diff != "" {
			t.Errorf("%s: (-Rasa +ours)\n%s", file, diff)
		}
	}
}

func describe(e *project.Endpoint) map[string]any {
	orNil := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	orEmpty := func(m map[string]any) map[string]any {
		if m == nil {
			return map[string]any{}
		}
		return m
	}
	other := map[string]any{}
	for _, p := range e.Other {
		other[p.Key.Text] = p.Value.Any()
	}
	m := map[string]any{
		"url": orNil(e.URL), "type": orNil(e.Type), "token": e.Token != "", "token_name": e.TokenName, "basic_auth": e.BasicAuth,
		"params": orEmpty(e.Params), "headers": orEmpty(e.Headers), "cafile": orNil(e.CAFile), "other": other,
	}
	text, _ := json.Marshal(m)
	var out map[string]any
	_ = json.Unmarshal(text, &out)
	return out
}
