package story

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Sessions cuts events at the actions that start sessions, as Rasa 3.6 does. What
// stands before the first one is a session of its own.
func Sessions(events []tracker.Event) [][]tracker.Event {
	var sessions [][]tracker.Event
	begin := 0
	for i, e := range events {
		if i > begin && isSessionStart(e) {
			sessions = append(sessions, events[begin:i])
			begin = i
		}
	}
	if begin < len(events) {
		sessions = append(sessions, events[begin:])
	}
	return sessions
}

// LatestSession returns what follows the latest event session_started, or all
// events if there is none. Unlike an action, it may have been posted.
func LatestSession(events []tracker.Event) []tracker.Event {
	for i, e := range slices.Backward(events) {
		if _, starts := e.(*tracker.SessionStarted); starts {
			return events[i+1:]
		}
	}
	return events
}

func isSessionStart(e tracker.Event) bool {
	a, ok := e.(*tracker.ActionExecuted)
	return ok && a.Name == "action_session_start"
}

// WriteTest writes conversations as test stories, as Rasa 3.6 does: one
// story for each session, named after the conversation. The reader of test
// stories takes them again. No session gives a file without stories.
func WriteTest(name string, sessions [][]tracker.Event) []byte {
	root := object("version", yamlfile.NewString(yamlfile.FormatVersion))
	stories := &yamlfile.Node{Kind: yamlfile.List}
	for i, session := range sessions {
		title := name
		if len(sessions) > 1 {
			title = fmt.Sprintf("%s, story %d", name, i+1)
		}
		steps := &yamlfile.Node{Kind: yamlfile.List}
		for j, e := range session {
			if step := testStep(e, session[j+1:]); step != nil {
				steps.Items = append(steps.Items, step)
			}
		}
		stories.Items = append(stories.Items, object("story", yamlfile.NewString(title), "steps", steps))
	}
	if len(stories.Items) > 0 {
		root.Pairs = append(root.Pairs, object("stories", stories).Pairs...)
	}
	return yamlfile.File(root.YAML(0))
}

// silent are the actions that no story mentions.
var silent = []string{tracker.ListenAction, "action_session_start", "action_unlikely_intent", Marker}

// testStep is the step that an event is written as; nil for one that stories do
// not have, such as utterances, which follow from the actions.
func testStep(e tracker.Event, later []tracker.Event) *yamlfile.Node {
	switch e := e.(type) {
	case *tracker.UserUttered:
		return userStep(e, predictedFromText(later))
	case *tracker.ActionExecuted:
		switch {
		case e.Name == "" && e.ActionText != "":
			return object("bot", yamlfile.NewString(e.ActionText))
		case e.Name != "" && !slices.Contains(silent, e.Name):
			return object("action", yamlfile.NewString(e.Name))
		}
	case *tracker.SlotSet:
		slot := object(e.Name, yamlfile.Of(e.Value))
		return object("slot_was_set", &yamlfile.Node{Kind: yamlfile.List, Items: []*yamlfile.Node{slot}})
	case *tracker.ActiveLoop:
		if e.Name == "" {
			return object("active_loop", yamlfile.Of(nil))
		}
		return object("active_loop", yamlfile.NewString(e.Name))
	}
	return nil
}

// predictedFromText reports whether the next action was chosen by the text of
// the message that these events follow.
func predictedFromText(later []tracker.Event) bool {
	for _, e := range later {
		switch e := e.(type) {
		case *tracker.UserUttered, *tracker.ActionExecuted:
			return false
		case *tracker.UserFeaturization:
			return e.UseText
		}
	}
	return false
}

func userStep(e *tracker.UserUttered, fromText bool) *yamlfile.Node {
	step := &yamlfile.Node{Kind: yamlfile.Map}
	intent := e.Intent
	if full := fullIntent(e); full != "" {
		intent = full
	}
	if !fromText && intent != "" {
		step.Pairs = object("intent", yamlfile.NewString(intent)).Pairs
	}
	if e.Text != "" {
		step.Pairs = append(step.Pairs, object("user", yamlfile.NewString(Annotated(e.Text, e.Entities))).Pairs...)
	}
	if len(step.Pairs) == 0 {
		return nil
	}
	return step
}

// fullIntent is the name of the response that was selected for a retrieval
// intent, if the message names it.
func fullIntent(e *tracker.UserUttered) string {
	intent, _ := e.ParseData["intent"].(map[string]any)
	full, _ := intent["full_retrieval_intent_name"].(string)
	return full
}

// Annotated writes the entities of a text into it: [Paris](city), or
// [Paris]{"entity": "city", "value": "PAR"} where more is to be said. Entities
// that stand nowhere in the text, or inside of another, are left out.
func Annotated(text string, entities []tracker.Entity) string {
	if strings.HasPrefix(text, "/") {
		return text // it says itself what its entities are
	}
	runes := []rune(text)
	type place struct {
		begin, end int
		entity     tracker.Entity
	}
	var places []place
	for _, e := range entities {
		begin, ok1 := wholeNumber(e["start"])
		end, ok2 := wholeNumber(e["end"])
		if ok1 && ok2 && begin >= 0 && begin < end && end <= len(runes) {
			places = append(places, place{begin, end, e})
		}
	}
	slices.SortStableFunc(places, func(a, b place) int { return a.begin - b.begin })
	var b strings.Builder
	at := 0
	for _, p := range places {
		if p.begin < at {
			continue
		}
		b.WriteString(string(runes[at:p.begin]))
		marked := string(runes[p.begin:p.end])
		b.WriteString(Mark(marked, p.entity))
		at = p.end
	}
	b.WriteString(string(runes[at:]))
	return b.String()
}

// Mark writes a text that is an entity: [Paris](city).
func Mark(text string, e tracker.Entity) string { return "[" + text + "]" + annotation(text, e) }

// annotation is what stands behind the brackets.
func annotation(text string, e tracker.Entity) string {
	name, _ := e["entity"].(string)
	value, hasValue := e["value"]
	same := value == any(text) || !hasValue || value == nil
	if same && e["role"] == nil && e["group"] == nil {
		return "(" + name + ")"
	}
	b := append([]byte(`{"entity": `), tracker.AppendValue(nil, name)...)
	for _, key := range []string{"role", "group"} {
		if s, ok := e[key].(string); ok {
			b = append(append(b, `, "`+key+`": `...), tracker.AppendValue(nil, s)...)
		}
	}
	if !same {
		b = append(append(b, `, "value": `...), tracker.AppendValue(nil, value)...)
	}
	return string(append(b, '}'))
}

func wholeNumber(v any) (int, bool) {
	switch v := v.(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), v == float64(int(v))
	}
	return 0, false
}

// object makes a map of keys and values in turn.
func object(pairs ...any) *yamlfile.Node {
	n := &yamlfile.Node{Kind: yamlfile.Map}
	for i := 0; i < len(pairs); i += 2 {
		n.Pairs = append(n.Pairs, yamlfile.Pair{Key: yamlfile.NewString(pairs[i].(string)), Value: pairs[i+1].(*yamlfile.Node)})
	}
	return n
}
