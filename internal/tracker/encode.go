package tracker

import (
	"maps"
	"slices"
	"strconv"
)

// AppendEvent appends the JSON of an event, as Rasa writes it, to dst.
func AppendEvent(dst []byte, e Event) []byte {
	o := object{append(dst, '{')}
	o.string("event", e.Type())
	base := e.Meta()
	o.key("timestamp")
	if base.Timestamp == 0 {
		o.null()
	} else {
		o.dst = strconv.AppendFloat(o.dst, base.Timestamp, 'f', -1, 64)
	}
	_, isUser := e.(*UserUttered)
	_, isBot := e.(*BotUttered)
	if len(base.Metadata) > 0 || isUser || isBot {
		o.value("metadata", orEmpty(base.Metadata))
	}
	o.fields(e)
	return append(o.dst, '}')
}

// MarshalEvent gives the JSON of one event.
func MarshalEvent(e Event) []byte { return AppendEvent(nil, e) }

func (o *object) fields(e Event) {
	switch e := e.(type) {
	case *UserUttered:
		o.nullable("text", e.Text, e.HasText)
		o.value("parse_data", map[string]any(e.parseData()))
		o.nullable("input_channel", e.InputChannel, e.InputChannel != "")
		o.nullable("message_id", e.MessageID, e.MessageID != "")
	case *BotUttered:
		o.nullable("text", e.Text, e.HasText)
		o.value("data", orEmpty(e.Data))
	case *ActionExecuted:
		o.nullable("name", e.Name, e.Name != "")
		o.nullable("policy", e.Policy, e.Policy != "")
		o.number("confidence", e.Confidence, e.HasConfidence)
		o.nullable("action_text", e.ActionText, e.ActionText != "")
		o.bool("hide_rule_turn", e.HideRuleTurn)
	case *SlotSet:
		o.string("name", e.Name)
		o.value("value", e.Value)
	case *EntitiesAdded:
		o.value("entities", entitiesAny(e.Entities))
	case *UserFeaturization:
		o.bool("use_text_for_featurization", e.UseText)
	case *FollowupAction:
		o.nullable("name", e.Name, e.Name != "")
	case *ActiveLoop:
		o.nullable("name", e.Name, e.Name != "")
	case *LoopInterrupted:
		o.bool("is_interrupted", e.Interrupted)
	case *ActionExecutionRejected:
		o.nullable("name", e.Name, e.Name != "")
		o.nullable("policy", e.Policy, e.Policy != "")
		o.number("confidence", e.Confidence, e.HasConfidence)
	case *Unknown:
		for _, key := range slices.Sorted(maps.Keys(e.Fields)) {
			o.value(key, e.Fields[key])
		}
	case *ReminderScheduled:
		o.nullable("intent", e.Intent, e.Intent != "")
		o.value("entities", e.Entities)
		o.string("date_time", e.DateTime)
		o.string("name", e.Name)
		o.bool("kill_on_user_msg", e.KillOnUserMessage)
	case *ReminderCancelled:
		o.nullable("name", e.Name, e.Name != "")
		o.nullable("intent", e.Intent, e.Intent != "")
		o.value("entities", e.Entities)
	case *AgentUttered:
		o.nullable("text", e.Text, e.Text != "")
		o.value("data", e.Data)
	}
}

// parseData is what stands under parse_data: the parse of the message, completed
// by the keys that are always there.
func (u *UserUttered) parseData() ParseData {
	if _, ok := u.ParseData["message_id"]; ok && u.ParseData["text"] != nil {
		return u.ParseData
	}
	d := ParseData{
		"intent": map[string]any{}, "entities": entitiesAny(u.Entities), "text": nil,
		"message_id": nil, "metadata": orEmpty(u.Metadata),
	}
	if u.HasText {
		d["text"] = u.Text
	}
	if u.MessageID != "" {
		d["message_id"] = u.MessageID
	}
	if u.Intent != "" {
		d["intent"] = map[string]any{"name": u.Intent, "confidence": u.Confidence}
	}
	maps.Copy(d, u.ParseData)
	return d
}

func entitiesAny(entities []Entity) []any {
	out := make([]any, len(entities))
	for i, e := range entities {
		out[i] = map[string]any(e)
	}
	return out
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}

// object writes the members of a JSON object.
type object struct{ dst []byte }

func (o *object) key(name string) {
	if o.dst[len(o.dst)-1] != '{' {
		o.dst = append(o.dst, ',')
	}
	o.dst = append(appendString(o.dst, name), ':')
}

func (o *object) null() { o.dst = append(o.dst, "null"...) }

func (o *object) string(name, value string) {
	o.key(name)
	o.dst = appendString(o.dst, value)
}

func (o *object) nullable(name, value string, set bool) {
	o.key(name)
	if set {
		o.dst = appendString(o.dst, value)
	} else {
		o.null()
	}
}

func (o *object) bool(name string, value bool) {
	o.key(name)
	o.dst = strconv.AppendBool(o.dst, value)
}

func (o *object) number(name string, value float64, set bool) {
	o.key(name)
	if set {
		o.dst = appendFloat(o.dst, value)
	} else {
		o.null()
	}
}

func (o *object) value(name string, value any) {
	o.key(name)
	o.dst = AppendValue(o.dst, value)
}
