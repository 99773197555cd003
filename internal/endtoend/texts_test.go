package endtoend

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What TEDPolicy finds in texts goes into the tracker as in Rasa 3.6.21, whose
// trackers were recorded: beside what the pipeline has found, and into slots once
// the text is answered.
func TestTextsAreUnderstoodAsInRasa(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/texts")); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile("testdata/texts/recorded.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, recorded, _ := strings.Cut(string(file), "\n\n")
	run(t, dir, "train")
	s := startServer(t, dir)
	got := map[string]string{}
	var users []string
	for line := range strings.Lines(recorded) {
		if user, text, said := strings.Cut(line, ": "); said && user[0] != ' ' {
			reply(t, s.url, user, strings.TrimSpace(text))
			if got[user] == "" {
				users = append(users, user)
			}
			got[user] = transcript(t, s.url, user)
		}
	}
	var all strings.Builder
	for _, user := range users {
		all.WriteString(got[user])
	}
	if diff := cmp.Diff(recorded, all.String()); diff != "" {
		t.Error(diff)
	}
}

// transcript tells a conversation line by line, without the start of its session
// and without numbers that are learned.
func transcript(t *testing.T, url, user string) string {
	t.Helper()
	resp, err := http.Get(url + "/conversations/" + user + "/tracker?include_events=ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state struct {
		Events []struct {
			Event, Name, Text, Policy string
			ActionText                string `json:"action_text"`
			UseText                   bool   `json:"use_text_for_featurization"`
			Value                     json.RawMessage
			Entities                  []struct {
				Entity, Value, Extractor string
				Start, End               int
			}
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	var b strings.Builder
	for _, e := range state.Events {
		switch {
		case e.Event == "user":
			fmt.Fprintf(&b, "%s: %s\n", user, e.Text)
		case e.Event == "entities":
			var found []string
			for _, x := range e.Entities {
				found = append(found, fmt.Sprintf("%s %d-%d %s %s", x.Entity, x.Start, x.End, x.Value, x.Extractor))
			}
			fmt.Fprintf(&b, "  entities: %s\n", strings.Join(found, "; "))
		case e.Event == "user_featurization":
			fmt.Fprintf(&b, "  user_featurization: %t\n", e.UseText)
		case e.Event == "action" && e.Policy != "":
			fmt.Fprintf(&b, "  action: %s %s\n", e.Policy, e.Name+e.ActionText)
		case e.Event == "bot":
			fmt.Fprintf(&b, "  bot: %s\n", e.Text)
		case e.Event == "slot":
			fmt.Fprintf(&b, "  slot: %s %s\n", e.Name, e.Value)
		}
	}
	return b.String()
}
