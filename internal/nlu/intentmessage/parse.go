package intentmessage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// parsed is what stands in an intent message.
type parsed struct {
	intent     string
	confidence float64
	start, end int // code points that the JSON object spans
	entities   []entity
	remarks    []string // what was ignored
}

type entity struct {
	name  string
	value any
}

// values gives the value, or the elements if it is a list.
func (e entity) values() []any {
	if list, ok := e.value.([]any); ok {
		return list
	}
	return []any{e.value}
}

// parse takes a text that begins with a slash apart: the intent, up to { or @; a
// confidence of digits and dots behind @; a JSON object on one line directly
// behind these, up to the last } of that line.
func parse(text string) parsed {
	p := parsed{confidence: 1}
	rest := text[1:]
	end := strings.IndexAny(rest, "{@")
	if end < 0 {
		end = len(rest)
	}
	if end == 0 {
		return p
	}
	p.intent = pystr.Strip(rest[:end])
	rest = rest[end:]

	if after, ok := strings.CutPrefix(rest, "@"); ok {
		n := len(after) - len(strings.TrimLeft(after, "0123456789."))
		if n > 0 {
			var remark string
			if p.confidence, remark = confidence(after[:n]); remark != "" {
				p.remarks = append(p.remarks, remark)
			}
			rest = after[n:]
		}
	}
	line, _, _ := strings.Cut(rest, "\n")
	if last := strings.LastIndexByte(line, '}'); strings.HasPrefix(line, "{") && last >= 2 {
		object := line[:last+1]
		p.start = utf8.RuneCountInString(text[:len(text)-len(rest)])
		p.end = p.start + utf8.RuneCountInString(object)
		var err error
		if p.entities, err = decodeEntities(object); err != nil {
			p.remarks = append(p.remarks, "a message's entities are not a JSON object: they are ignored")
		}
		line = line[last+1:]
	}
	if line != "" {
		p.remarks = append(p.remarks, "a part of a message was not understood: the form is /intent@confidence{\"entity\": \"value\"}")
	}
	return p
}

// decodeEntities reads a JSON object in the order of its keys; the last value of
// a key counts.
func decodeEntities(object string) ([]entity, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(object)))
	d.UseNumber()
	if _, err := d.Token(); err != nil {
		return nil, err
	}
	var out []entity
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, err
		}
		var e entity
		e.name, _ = key.(string)
		if err := d.Decode(&e.value); err != nil {
			return nil, err
		}
		e.value = plain(e.value)
		if i := slices.IndexFunc(out, func(o entity) bool { return o.name == e.name }); i >= 0 {
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

// plain gives numbers their Go types: int64 where they are whole as written.
func plain(v any) any {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64()
		return f
	case []any:
		for i := range v {
			v[i] = plain(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = plain(v[k])
		}
	}
	return v
}
