package cli_test

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/sqlstore"
)

// storeConversations is the command "conversations FILE DB" of scripts: each line
// of the file is the id of a conversation and its events, such as "intent:greet
// action:utter_greet slot:name=x session", and DB is a new SQLite tracker store.
func storeConversations(ts *testscript.TestScript, _ bool, args []string) {
	d := &domain.Domain{}
	d.Complete()
	config := sqlstore.DefaultConfig()
	config.DB = ts.MkAbs(args[1])
	store, err := sqlstore.Open(context.Background(), config, d)
	ts.Check(err)
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		words := strings.Fields(line)
		conversation := tracker.New(words[0], d)
		for i, word := range words[1:] {
			e, err := tracker.EventFrom(event(word, float64(1000+i)))
			ts.Check(err)
			conversation.Update(e)
		}
		ts.Check(store.Save(context.Background(), conversation))
	}
	ts.Check(store.Close())
}

func event(word string, time float64) map[string]any {
	kind, rest, _ := strings.Cut(word, ":")
	switch kind {
	case "intent":
		return map[string]any{"event": "user", "timestamp": time, "text": rest, "parse_data": map[string]any{"intent": map[string]any{"name": rest}}}
	case "slot":
		name, value, _ := strings.Cut(rest, "=")
		var v any
		_ = json.Unmarshal([]byte(value), &v) // nothing is null
		return map[string]any{"event": "slot", "timestamp": time, "name": name, "value": v}
	case "session":
		rest = "action_session_start"
	}
	return map[string]any{"event": "action", "timestamp": time, "name": rest}
}
