package project_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestEndpointsKeepTheirSettings(t *testing.T) {
	t.Setenv("LOQUAT_TEST_TOKEN", "secret")
	var problems diag.List
	e := project.ParseEndpoints(yamlfile.Parse([]byte(`tracker_store:
  store_type: SQL
  type: ignored
  url: localhost
  dialect: sqlite
action_endpoint: {url: "http://a", token: "${NOT_EXPANDED}", basic_auth: {username: u, password: p}}
nlg:
  url: ${LOQUAT_TEST_TOKEN}
models:
`), "endpoints.yml", &problems), "endpoints.yml", &problems)
	if err := problems.Err(); err != nil {
		t.Fatal(err)
	}
	if e.TrackerStore.Type != "SQL" || e.TrackerStore.TypePos.Line != 2 || e.TrackerStore.Param("dialect").Text != "sqlite" {
		t.Errorf("tracker store: %+v", e.TrackerStore)
	}
	if e.Action.Token != "${NOT_EXPANDED}" || !e.Action.BasicAuth || e.Action.Password != "p" || e.NLG.URL != "secret" || e.Models != nil {
		t.Errorf("action %+v, nlg %+v, models %+v", e.Action, e.NLG, e.Models)
	}
}

func TestEndpointProblems(t *testing.T) {
	for text, want := range map[string]string{
		"tracker_stores: {}":                   "endpoints.yml:1:1: warning: endpoints have no section \"tracker_stores\"; it is ignored [unknown-key]\n    hint: did you mean \"tracker_store\"?",
		"lock_store: {type: my.Locks}":         "endpoints.yml:1:20: lock_store has the type \"my.Locks\", a Python class, which can't run here [python-class]\n    hint: use one of the types that are built in",
		"action_endpoint: {actions_module: a}": "endpoints.yml:1:35: actions_module names a Python package, which can't run here [python-class]\n    hint: start an action server and write its url:",
		"nlu: http://x":                        "endpoints.yml:1:6: nlu must be a map, not a string [invalid-endpoints]\n    hint: write the settings below it, such as url: or type:",
	} {
		var problems diag.List
		project.ParseEndpoints(yamlfile.Parse([]byte(text), "endpoints.yml", &problems), "endpoints.yml", &problems)
		if got := printed(&problems); got != want {
			t.Errorf("%q:\ngot:\n%s\nwant:\n%s", text, got, want)
		}
	}
}

func TestCredentialsNameChannels(t *testing.T) {
	path := filepath.Join(t.TempDir(), "credentials.yml")
	if err := os.WriteFile(path, []byte("rest:\nslack: {slack_token: x}\nmy.channel.Input: {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var problems diag.List
	c := project.ReadCredentials(path, "credentials.yml", &problems)
	if len(c.Channels) != 3 || c.Channels[0].Settings != nil || c.Channels[1].Settings.Get("slack_token").Text != "x" {
		t.Errorf("channels: %+v", c.Channels)
	}
	want := "credentials.yml:3:1: channel \"my.channel.Input\" is a Python class, which can't run here [python-class]\n    hint: use a channel that is built in, such as rest"
	if got := printed(&problems); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
