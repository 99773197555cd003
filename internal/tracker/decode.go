package tracker

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"time"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// EventError says what is wrong with an event that came as JSON.
type EventError struct {
	Event  string // the value of "event", if any
	Field  string // the field that is wrong, as a path: "parse_data.intent.name"
	Reason string
}

// Error reads "event slot: value: is missing".
func (e *EventError) Error() string {
	return fmt.Sprintf("event %q: %s: %s", e.Event, e.Field, e.Reason)
}

// UnmarshalEvent reads the JSON of one event. Names and shapes are those of Rasa
// 3.6.21 with its legacy aliases "form" and "form_validation". Anything else is
// an *EventError.
func UnmarshalEvent(data []byte) (Event, error) {
	m, err := decodeObject(data)
	if err != nil {
		return nil, err
	}
	return EventFrom(m)
}

// UnmarshalStored reads the JSON of an event that a tracker store kept, perhaps
// one that another Rasa wrote: types that are not known give an Unknown.
func UnmarshalStored(data []byte) (Event, error) {
	m, err := decodeObject(data)
	if err != nil {
		return nil, err
	}
	return (&reader{m: m, keepUnknown: true}).read()
}

func decodeObject(data []byte) (map[string]any, error) {
	v, err := DecodeValue(data)
	if err != nil {
		return nil, err
	}
	m, ok := v.(map[string]any)
	if !ok {
		return nil, &EventError{Field: "event", Reason: "is not a JSON object"}
	}
	return m, nil
}

// DecodeValue reads one JSON value into plain Go values, with int64 for whole
// numbers.
func DecodeValue(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON value")
	}
	return pystr.Numbers(v), nil
}

// EventFrom makes an event of a decoded JSON object, see UnmarshalEvent.
func EventFrom(m map[string]any) (Event, error) {
	return (&reader{m: m}).read()
}

func (r *reader) read() (Event, error) {
	r.name = r.requiredString("event")
	if r.err != nil {
		return nil, r.err
	}
	base := Base{Timestamp: r.float("timestamp"), Metadata: r.object("metadata")}
	e := r.event(base)
	if r.err != nil {
		return nil, r.err
	}
	return e, nil
}

func (r *reader) event(base Base) Event {
	switch r.name {
	case "user":
		return r.user(base)
	case "bot":
		text, has := r.string("text")
		return &BotUttered{Base: base, Text: text, HasText: has, Data: r.object("data")}
	case "action":
		name, _ := r.string("name")
		text, _ := r.string("action_text")
		if name == "" && text == "" {
			r.fail("name", "and action_text are both missing")
		}
		policy, _ := r.string("policy")
		return &ActionExecuted{
			Base: base, Name: name, ActionText: text, Policy: policy, HideRuleTurn: r.bool("hide_rule_turn"),
			Confidence: r.float("confidence"), HasConfidence: r.m["confidence"] != nil,
		}
	case "slot":
		value, ok := r.m["value"]
		if !ok {
			r.fail("value", "is missing")
		}
		return &SlotSet{Base: base, Name: r.requiredString("name"), Value: value}
	case "entities":
		return &EntitiesAdded{Base: base, Entities: r.entities("entities", r.m["entities"], true)}
	case "user_featurization":
		return &UserFeaturization{Base: base, UseText: r.bool("use_text_for_featurization")}
	case "followup":
		name, _ := r.string("name")
		return &FollowupAction{Base: base, Name: name}
	case "active_loop", "form":
		name, _ := r.string("name")
		return &ActiveLoop{Base: base, Name: name}
	case "loop_interrupted":
		return &LoopInterrupted{Base: base, Interrupted: r.bool("is_interrupted")}
	case "form_validation":
		validate, ok := r.m["validate"].(bool)
		return &LoopInterrupted{Base: base, Interrupted: ok && !validate}
	case "action_execution_rejected":
		name, _ := r.string("name")
		policy, _ := r.string("policy")
		return &ActionExecutionRejected{
			Base: base, Name: name, Policy: policy, Confidence: r.float("confidence"), HasConfidence: r.m["confidence"] != nil,
		}
	case "reminder":
		return r.reminder(base)
	case "cancel_reminder":
		name, _ := r.string("name")
		intent, _ := r.string("intent")
		return &ReminderCancelled{Base: base, Name: name, Intent: intent, Entities: r.m["entities"]}
	case "agent":
		text, _ := r.string("text")
		return &AgentUttered{Base: base, Text: text, Data: r.m["data"]}
	case "export":
		path, _ := r.string("path")
		return &StoryExported{Base: base, Path: path}
	case "session_started":
		return &SessionStarted{Base: base}
	case "restart":
		return &Restarted{Base: base}
	case "reset_slots":
		return &AllSlotsReset{Base: base}
	case "rewind":
		return &UserUtteranceReverted{Base: base}
	case "undo":
		return &ActionReverted{Base: base}
	case "pause":
		return &ConversationPaused{Base: base}
	case "resume":
		return &ConversationResumed{Base: base}
	default:
		if r.keepUnknown {
			return r.unknown(base)
		}
		r.fail("event", "is no kind of event")
		return nil
	}
}

func (r *reader) unknown(base Base) *Unknown {
	fields := maps.Clone(r.m)
	for _, key := range []string{"event", "timestamp", "metadata"} {
		delete(fields, key)
	}
	return &Unknown{Base: base, Kind: r.name, Fields: fields}
}

func (r *reader) user(base Base) Event {
	u := &UserUttered{Base: base}
	u.Text, u.HasText = r.string("text")
	u.InputChannel, _ = r.string("input_channel")
	u.MessageID, _ = r.string("message_id")
	parse, ok := r.m["parse_data"].(map[string]any)
	if !ok {
		r.fail("parse_data", "is missing or no object")
		return nil
	}
	u.ParseData = parse
	if intent, ok := parse["intent"].(map[string]any); ok {
		if name, given := intent["name"]; given && name != nil {
			if u.Intent, ok = name.(string); !ok {
				r.fail("parse_data.intent.name", "is not a string")
			}
		}
		switch c := intent["confidence"].(type) {
		case float64:
			u.Confidence = c
		case int64:
			u.Confidence = float64(c)
		}
	} else if parse["intent"] != nil {
		r.fail("parse_data.intent", "is not an object")
	}
	u.Entities = r.entities("parse_data.entities", parse["entities"], false)
	u.ParseData = u.parseData()
	return u
}

func (r *reader) reminder(base Base) Event {
	intent, _ := r.string("intent")
	name, _ := r.string("name")
	when := r.requiredString("date_time")
	if _, err := ParseTime(when); err != nil && r.err == nil {
		r.fail("date_time", "is not a date and time in ISO 8601")
	}
	kill := true
	if v, ok := r.m["kill_on_user_msg"].(bool); ok {
		kill = v
	}
	if name == "" {
		name = newName()
	}
	when = zeroFraction.ReplaceAllString(when, "$1$2") // as Python's isoformat
	return &ReminderScheduled{Base: base, Intent: intent, Entities: r.m["entities"], DateTime: when, Name: name, KillOnUserMessage: kill}
}

var zeroFraction = regexp.MustCompile(`(:\d\d)\.0+(\D|$)`)

// newName makes a name for a reminder that has none: a random UUID, as in Rasa.
func newName() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// ParseTime reads a date and time in ISO 8601, as Python's isoformat writes it.
// Without a zone it is local time.
func ParseTime(s string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z0700", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date and time in ISO 8601", s)
}
