package tracker

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

// AppendValue appends the JSON of a plain value: nil, bool, int64, float64,
// string, lists and maps of those, with keys sorted. A whole float64 keeps its
// fraction (5.0), so that it stays a float when it is read again.
func AppendValue(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, v)
	case string:
		return appendString(dst, v)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case float64:
		return appendFloat(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendValue(dst, x)
		}
		return append(dst, ']')
	case []map[string]any:
		dst = append(dst, '[')
		for i, m := range v {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendMap(dst, m)
		}
		return append(dst, ']')
	case map[string]any:
		return appendMap(dst, v)
	case ParseData:
		return appendMap(dst, v)
	case Entity:
		return appendMap(dst, v)
	default:
		data, err := json.Marshal(v)
		if err != nil {
			return append(dst, "null"...) // not a JSON value, which no event holds
		}
		return append(dst, data...)
	}
}

func appendMap(dst []byte, m map[string]any) []byte {
	dst = append(dst, '{')
	var few [12]string // as many as most objects have, without an allocation
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	for i, k := range keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, k), ':')
		dst = AppendValue(dst, m[k])
	}
	return append(dst, '}')
}

func appendFloat(dst []byte, f float64) []byte {
	if f != f || f > 1.7976931348623157e308 || f < -1.7976931348623157e308 {
		return append(dst, "null"...) // JSON has no NaN and no infinity
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'g', -1, 64)
	if !strings.ContainsAny(string(dst[start:]), ".e") {
		dst = append(dst, ".0"...)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				dst = append(append(dst, s[from:i]...), "\ufffd"...)
				from = i + 1
			}
			i += size
			continue
		}
		if c < ' ' || c == '"' || c == '\\' {
			dst = append(dst, s[from:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\t':
				dst = append(dst, '\\', 't')
			case '\r':
				dst = append(dst, '\\', 'r')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			from = i + 1
		}
		i++
	}
	return append(append(dst, s[from:]...), '"')
}
