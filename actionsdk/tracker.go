package actionsdk

import (
	"fmt"
	"strconv"
)

// Tracker is the conversation so far. It is the action's own copy.
//
// Numbers in it are int64 when JSON has no fraction, as in 4, else float64.
type Tracker struct {
	SenderID       string
	Slots          map[string]any // all slots of the domain; nil is an empty one
	LatestMessage  Message
	Events         []Event // oldest first
	Paused         bool
	FollowupAction string
	ActiveLoop     string // name of the active form, "" if none
	// LatestActionName is the action that ran last.
	LatestActionName string
	Stack            []map[string]any // frames of flows, where the assistant has them
	UserID           string

	domain *Domain
}

// Message is what NLU made of the user's latest message.
type Message struct {
	Text       string
	Intent     string
	Confidence float64
	Entities   []Entity
	MessageID  string
	Metadata   map[string]any
	ParseData  map[string]any // all of it, such as intent_ranking
}

// Entity is something that a message mentions.
type Entity struct {
	Entity string `json:"entity"`
	Value  any    `json:"value"`
	Role   string `json:"role,omitempty"`
	Group  string `json:"group,omitempty"`
	Start  int    `json:"start"` // in the message's text, in code points
	End    int    `json:"end"`
	// Extractor is the component that found it.
	Extractor  string  `json:"extractor,omitempty"`
	Confidence float64 `json:"confidence_entity,omitempty"`
}

// Slot returns the value of a slot, nil if it is empty or unknown.
func (t *Tracker) Slot(name string) any { return t.Slots[name] }

// Text returns the value of a slot as text: "" if it is empty, otherwise what
// fmt.Sprint makes of it.
func (t *Tracker) Text(slot string) string {
	switch v := t.Slots[slot].(type) {
	case nil:
		return ""
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

// Number returns the value of a slot as a number. Texts count if they are one.
func (t *Tracker) Number(slot string) (value float64, ok bool) {
	switch v := t.Slots[slot].(type) {
	case int64, float64, int:
		return num(v), true
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}

// Bool returns the value of a boolean slot, false if it is empty.
func (t *Tracker) Bool(slot string) bool {
	v, _ := t.Slots[slot].(bool)
	return v
}

// Domain returns the assistant's domain. It is shared; do not change what is in
// it.
func (t *Tracker) Domain() *Domain {
	if t.domain == nil {
		return &Domain{}
	}
	return t.domain
}

// EntityOption narrows EntityValues.
type EntityOption func(*Entity)

// WithRole asks for entities with a role.
func WithRole(role string) EntityOption { return func(e *Entity) { e.Role = role } }

// WithGroup asks for entities of a group.
func WithGroup(group string) EntityOption { return func(e *Entity) { e.Group = group } }

// EntityValues returns the values of the latest message's entities of a name that
// have just the given role and group; without options, neither.
func (t *Tracker) EntityValues(name string, options ...EntityOption) []any {
	want := Entity{Entity: name}
	for _, o := range options {
		o(&want)
	}
	var values []any
	for _, e := range t.LatestMessage.Entities {
		if e.Entity == want.Entity && e.Role == want.Role && e.Group == want.Group {
			values = append(values, e.Value)
		}
	}
	return values
}

// LatestInputChannel returns the channel of the user's latest message, "" if it
// is not known.
func (t *Tracker) LatestInputChannel() string {
	if u, ok := Last[UserUttered](t); ok {
		return u.InputChannel
	}
	return ""
}

// EventsAfterRestart returns the events since the conversation was last
// restarted.
func (t *Tracker) EventsAfterRestart() []Event {
	for i := len(t.Events) - 1; i >= 0; i-- {
		if _, ok := t.Events[i].(Restarted); ok {
			return t.Events[i+1:]
		}
	}
	return t.Events
}

// Last returns the latest event of a type: Last[actionsdk.UserUttered](t).
func Last[E Event](t *Tracker) (last E, ok bool) {
	for i := len(t.Events) - 1; i >= 0; i-- {
		if e, ok := t.Events[i].(E); ok {
			return e, true
		}
	}
	return last, false
}

// candidates are the slots of the run of slot events at the end, in order: those
// that the assistant wants to have validated.
func (t *Tracker) candidates() *slotValues {
	first := len(t.Events)
	for first > 0 {
		if _, ok := t.Events[first-1].(SlotSet); !ok {
			break
		}
		first--
	}
	found := newSlotValues()
	for _, e := range t.Events[first:] {
		slot := e.(SlotSet)
		found.set(slot.Name, slot.Value)
	}
	return found
}

func trackerFrom(m map[string]any) *Tracker {
	t := &Tracker{SenderID: str(m["sender_id"]), FollowupAction: str(m["followup_action"]), LatestActionName: str(m["latest_action_name"]), UserID: str(m["user_id"])}
	t.Paused, _ = m["paused"].(bool)
	if t.Slots, _ = m["slots"].(map[string]any); t.Slots == nil {
		t.Slots = map[string]any{}
	}
	if loop, ok := m["active_loop"].(map[string]any); ok {
		t.ActiveLoop = str(loop["name"])
	}
	if parse, ok := m["latest_message"].(map[string]any); ok {
		t.LatestMessage = messageFrom(parse)
	}
	for _, e := range objects(m["events"]) {
		t.Events = append(t.Events, eventFrom(e))
	}
	t.Stack = objects(m["stack"])
	return t
}

func messageFrom(parse map[string]any) Message {
	m := Message{Text: str(parse["text"]), MessageID: str(parse["message_id"]), Entities: entitiesFrom(parse["entities"]), ParseData: parse}
	m.Metadata, _ = parse["metadata"].(map[string]any)
	if intent, ok := parse["intent"].(map[string]any); ok {
		m.Intent, m.Confidence = str(intent["name"]), num(intent["confidence"])
	}
	return m
}

func entitiesFrom(v any) []Entity {
	var entities []Entity
	for _, m := range objects(v) {
		entities = append(entities, Entity{
			Entity: str(m["entity"]), Value: m["value"], Role: str(m["role"]), Group: str(m["group"]),
			Start: int(num(m["start"])), End: int(num(m["end"])), Extractor: str(m["extractor"]), Confidence: num(m["confidence_entity"]),
		})
	}
	return entities
}

// objects returns the objects of a list.
func objects(v any) []map[string]any {
	list, _ := v.([]any)
	var out []map[string]any
	for _, x := range list {
		if m, ok := x.(map[string]any); ok {
			out = append(out, m)
		}
	}
	return out
}
