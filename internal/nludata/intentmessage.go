package nludata

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// IntentMessage is what stands in a message that says itself what it means, such
// as /book_flight@0.9{"city": "Berlin"}.
type IntentMessage struct {
	Intent     string // "" if the message names none
	Confidence float64
	Start, End int // code points that the JSON object spans
	Entities   []IntentMessageEntity
	Remarks    []string // what was ignored
}

// IntentMessageEntity is one key of an intent message's object.
type IntentMessageEntity struct {
	Name  string
	Value any
}

// Values gives the value, or the elements if it is a list.
func (e IntentMessageEntity) Values() []any {
	if list, ok := e.Value.([]any); ok {
		return list
	}
	return []any{e.Value}
}

// ParseIntentMessage takes a text that begins with a slash apart: the intent, up to { or @; a
// confidence of digits and dots behind @; a JSON object on one line directly
// behind these, up to the last } of that line.
func ParseIntentMessage(text string) IntentMessage {
	p := IntentMessage{Confidence: 1}
	rest := text[1:]
	end := strings.IndexAny(rest, "{@")
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return p
	}
	p.Intent = pystr.Strip(rest[:end])
	rest = rest[end:]

	if after, ok := strings.CutPrefix(rest, "@"); ok {
		n := len(after) - len(strings.TrimLeft(after, "0123456789."))
		if n > 0 {
			var remark string
			if p.Confidence, remark = confidence(after[:n]); remark != "" {
				p.Remarks = append(p.Remarks, remark)
			}
			rest = after[n:]
		}
	}
	line, _, _ := strings.Cut(rest, "\n")
	if last := strings.LastIndexByte(line, '}'); strings.HasPrefix(line, "{") && last >= 2 {
		object := line[:last+1]
		p.Start = utf8.RuneCountInString(text[:len(text)-len(rest)])
		p.End = p.Start + utf8.RuneCountInString(object)
		var err error
		if p.Entities, err = decodeEntities(object); err != nil {
			p.Remarks = append(p.Remarks, "a message's entities are not a JSON object: they are ignored")
		}
		line = line[last+1:]
	}
	if line != "" {
		p.Remarks = append(p.Remarks, "a part of a message was not understood: the form is /intent@confidence{\"entity\": \"value\"}")
	}
	return p
}

// decodeEntities reads a JSON object in the order of its keys; the last value of
// a key counts.
func decodeEntities(object string) ([]IntentMessageEntity, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(object)))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []IntentMessageEntity
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var e IntentMessageEntity
		e.Name, _ = key.(string)
		if err := d.Decode(&e.Value); err != nil {
			return nil, err
		}
		e.Value = pystr.Numbers(e.Value)
		if i := slices.IndexFunc(out, func(o IntentMessageEntity) bool { return o.Name == e.Name }); i >= 0 {
			out[i] = e
			continue
		}
		out = append(out, e)
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("text after the object")
	}
	return out, nil
}

// confidence reads what follows the @. Rasa 3.6 accepts digits and dots only.
func confidence(s string) (value float64, remark string) {
	const advice = "a message's confidence is not a number between 0 and 1"
	value, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil:
		return 0, advice
	case value > 1:
		return 1, advice
	default:
		return value, ""
	}
}
