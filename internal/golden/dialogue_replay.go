package golden

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
)

// Conversations compares whole conversations, one check for each file of
// recordings below the folder dir. Each assistant is trained, and then told what
// the recorded one was told.
func Conversations(dir string) ([]Check, error) {
	files, err := filepath.Glob(filepath.Join(dir, "dialogue", "conversations", "*.jsonl"))
	if err != nil {
		return nil, err
	}
	checks := make([]Check, len(files))
	for i, file := range files {
		name := "dialogue/conversations/" + filepath.Base(file)
		checks[i] = Check{name, func(dir string) Report { return replayConversations(dir, name) }}
	}
	return checks, nil
}

func replayConversations(dir, name string) Report {
	report := Report{File: name}
	f, err := readConversations(filepath.Join(dir, filepath.FromSlash(name)))
	if err != nil {
		return fail(name, err)
	}
	m, err := f.train(filepath.Join(dir, "dialogue"))
	if err != nil {
		return fail(name, err)
	}
	if err := f.play(&report, m); err != nil {
		return fail(name, err)
	}
	return report
}

// conversationFile is one file of recorded conversations with one assistant.
type conversationFile struct {
	Bot       string           `json:"bot"`
	Assistant string           `json:"assistant"` // folder, relative to golden/dialogue
	Language  string           `json:"language"`
	Pipeline  []map[string]any `json:"pipeline"`
	Policies  []map[string]any `json:"policies"`

	Conversations []playedConversation `json:"-"`
}

// playedConversation is one conversation from its beginning.
type playedConversation struct {
	ID    string       `json:"id"`
	From  string       `json:"from"`
	Turns []playedTurn `json:"turns"`
}

// playedTurn is one message and what came of it.
type playedTurn struct {
	Message      json.RawMessage `json:"message"` // a text, or an external trigger
	ActionServer []playedCall    `json:"action_server"`
	Replies      json.RawMessage `json:"replies"`
	Events       []any           `json:"events"`
	Slots        map[string]any  `json:"slots"`
	ActiveLoop   any             `json:"active_loop"`
	LatestAction any             `json:"latest_action"`
	Error        json.RawMessage `json:"error"`
}

// playedCall is a call of the action server and its answer.
type playedCall struct {
	Action string          `json:"action"`
	Status int             `json:"status"`
	Answer json.RawMessage `json:"answer"`
}

// readConversations reads a file of golden/dialogue/conversations.
func readConversations(file string) (*conversationFile, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	f := &conversationFile{}
	for first := true; lines.Scan(); first = false {
		if first {
			if err := json.Unmarshal(lines.Bytes(), f); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
			}
			continue
		}
		var c playedConversation
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.UseNumber()
		if err := d.Decode(&c); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		f.Conversations = append(f.Conversations, c)
	}
	return f, lines.Err()
}

// mind is what an assistant has learned.
type mind struct {
	domain      *domain.Domain
	interpreter conversation.Interpreter
	predictor   conversation.Predictor
}

// play holds the recorded conversations with an assistant and compares replies,
// events, slots, and calls of the action server.
func (f *conversationFile) play(report *Report, m mind) error {
	d := m.domain
	server := newScriptedServer()
	defer server.Close()
	client, err := webhook.New(webhook.Settings{URL: server.URL}, d, []byte("{}"))
	if err != nil {
		return err
	}
	logger := slog.New(slog.DiscardHandler)
	store := memstore.New(d)
	p := conversation.New(conversation.Settings{
		Domain: d, Interpreter: m.interpreter, Predictor: m.predictor,
		Actions: &action.Runner{Domain: d, NLG: nlg.NewTemplates(d, first, logger), Server: client, Logger: logger},
		Store:   store, Locks: memlock.New(0), Logger: logger,
	})
	defer p.Close()
	for _, c := range f.Conversations {
		difference, err := playOne(p, store, server, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
		report.equal(c.ID, difference)
	}
	return nil
}

// first chooses the variation that was recorded.
func first(int) int { return 0 }

func playOne(p *conversation.Processor, store *memstore.Store, server *scriptedServer, c playedConversation) (string, error) {
	ctx := context.Background()
	seen := 0
	var loop any // the active one
	for i, turn := range c.Turns {
		where := fmt.Sprintf("turn %d %s", i, turn.Message)
		server.load(turn.ActionServer)
		out := channel.NewCollector()
		err := send(ctx, p, c.ID, turn.Message, out)
		if turn.Error != nil {
			return "", nil // ours is free here, and it was the last turn
		}
		if err != nil {
			return fmt.Sprintf("%s: %v", where, err), nil
		}
		t, err := store.Retrieve(ctx, c.ID)
		if err != nil {
			return "", err
		}
		events := t.Events()
		if endless(turn.Events) { // docs/compatibility.md: Rasa never answers again, ours goes on
			if d := differs("events", append(turn.Events, listening), plainEvents(events[seen:])); d != "" {
				return where + ": " + d, nil
			}
			return "", nil
		}
		if neverBegan(turn, loop) { // the same page: ours undoes the form
			return "", nil
		}
		for _, d := range []string{
			server.difference(),
			differs("events", turn.Events, plainEvents(events[seen:])),
			differs("replies", turn.Replies, withoutRecipient(out.Messages())),
			differs("slots", turn.Slots, plainSlots(t)),
			differs("active_loop", turn.ActiveLoop, orNull(t.ActiveLoop().Name)),
			differs("latest_action", turn.LatestAction, orNull(t.LatestActionName())),
		} {
			if d != "" {
				return where + ": " + d, nil
			}
		}
		seen, loop = len(events), turn.ActiveLoop
	}
	return "", nil
}

// listening is the event by which ours ends an endless turn.
var listening = map[string]any{"event": "action", "name": action.Listen, "policy": nil, "confidence": nil, "hide_rule_turn": false}

// endless reports whether a recorded turn was broken off because of too many
// actions.
func endless(events []any) bool {
	var actions int
	for _, e := range events {
		event, _ := e.(map[string]any)
		switch {
		case event["event"] != "action":
		case event["name"] == action.Listen || event["name"] == action.SessionStart:
			actions = 0
		default:
			actions++
		}
	}
	return actions >= conversation.DefaultMaxPredictions
}

// neverBegan reports whether a form's first run failed in a recorded turn: its
// action is there, no loop begins. before is the loop that was active.
func neverBegan(turn playedTurn, before any) bool {
	for i, e := range turn.Events {
		event, _ := e.(map[string]any)
		name, _ := event["name"].(string)
		failed := slices.ContainsFunc(turn.ActionServer, func(c playedCall) bool {
			return c.Status >= 500 && (c.Action == "validate_"+name || strings.HasPrefix(c.Action, "action_ask_"))
		})
		if event["event"] != "action" || name == before || !failed {
			continue
		}
		var next any
		if i+1 < len(turn.Events) {
			next = turn.Events[i+1].(map[string]any)["event"]
		}
		if next != "active_loop" {
			return true
		}
	}
	return false
}

// send says a recorded message: a text, or {"trigger_intent": name, "entities": …}.
func send(ctx context.Context, p *conversation.Processor, id string, message json.RawMessage, out channel.Output) error {
	var text string
	if json.Unmarshal(message, &text) == nil {
		return p.HandleMessage(ctx, channel.Message{Text: text, HasText: true, SenderID: id, Output: out})
	}
	value, err := tracker.DecodeValue(message)
	if err != nil {
		return err
	}
	trigger, _ := value.(map[string]any)
	intent, _ := trigger["trigger_intent"].(string)
	var entities []tracker.Entity
	list, _ := trigger["entities"].([]any)
	for _, x := range list {
		entities = append(entities, x.(map[string]any))
	}
	_, err = p.TriggerIntent(ctx, id, intent, entities, out)
	return err
}
