package nlu

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// MarshalJSON gives the parse result as POST /model/parse answers it: what
// encoding ParseResult gives, without making maps first.
func (m *Message) MarshalJSON() ([]byte, error) {
	e := encoder{b: make([]byte, 0, 256+64*len(m.Ranking)+160*len(m.Entities)+8*len(m.Tokens[Text])+2*len(m.Values[Text]))}
	e.message(m)
	return e.b, e.err
}

// ResultJSON gives one entity as it stands in a parse result.
func (e *Entity) ResultJSON() (json.RawMessage, error) {
	var enc encoder
	enc.entity(e)
	return enc.b, enc.err
}

// encoder appends JSON. It keeps the first error.
type encoder struct {
	b   []byte
	err error
}

func (e *encoder) raw(s string) { e.b = append(e.b, s...) }

func (e *encoder) message(m *Message) {
	e.raw(`{"text":`)
	e.string(m.Values[Text])
	e.raw(`,"intent":`)
	e.intent(m.resultIntent())
	e.raw(`,"entities":[`)
	for i := range m.Entities {
		e.comma(i)
		e.entity(&m.Entities[i])
	}
	e.raw("]")
	if tokens := m.Tokens[Text]; tokens != nil && !m.Decided {
		e.raw(`,"text_tokens":[`)
		for i := range tokens {
			e.comma(i)
			e.raw("[")
			e.int(tokens[i].Start)
			e.raw(",")
			e.int(tokens[i].End)
			e.raw("]")
		}
		e.raw("]")
	}
	if m.Ranking != nil && !m.RankingHidden {
		e.raw(`,"intent_ranking":[`)
		for i := range m.Ranking {
			e.comma(i)
			e.intent(m.Ranking[i])
		}
		e.raw("]")
	}
	if m.Selector != nil && !m.Decided {
		e.raw(`,"response_selector":`)
		e.value(m.Selector)
	}
	e.raw("}")
}

func (e *encoder) comma(i int) {
	if i > 0 {
		e.raw(",")
	}
}

func (e *encoder) intent(i Intent) {
	e.raw(`{"name":`)
	e.nullable(i.Name)
	e.raw(`,"confidence":`)
	e.float(i.Confidence)
	if i.HasFullRetrievalName {
		e.raw(`,"full_retrieval_intent_name":`)
		e.nullable(i.FullRetrievalName)
	}
	e.raw("}")
}

func (e *encoder) entity(x *Entity) {
	if x.Extra != nil { // keys of its own may replace ours
		e.value(x.Result())
		return
	}
	e.raw(`{"entity":`)
	e.string(x.Entity)
	e.raw(`,"start":`)
	e.int(x.Start)
	e.raw(`,"end":`)
	e.int(x.End)
	e.confidence(`,"confidence_entity":`, x.ConfidenceEntity)
	e.optional(`,"role":`, x.Role)
	e.confidence(`,"confidence_role":`, x.ConfidenceRole)
	e.optional(`,"group":`, x.Group)
	e.confidence(`,"confidence_group":`, x.ConfidenceGroup)
	e.raw(`,"value":`)
	e.value(x.Value)
	e.optional(`,"extractor":`, x.Extractor)
	if len(x.Processors) > 0 {
		e.raw(`,"processors":[`)
		for i, p := range x.Processors {
			e.comma(i)
			e.string(p)
		}
		e.raw("]")
	}
	e.raw("}")
}

func (e *encoder) confidence(key string, v *float64) {
	if v != nil {
		e.raw(key)
		e.float(*v)
	}
}

func (e *encoder) optional(key, s string) {
	if s != "" {
		e.raw(key)
		e.string(s)
	}
}

func (e *encoder) nullable(s string) {
	if s == "" {
		e.raw("null")
		return
	}
	e.string(s)
}

func (e *encoder) int(i int) { e.b = strconv.AppendInt(e.b, int64(i), 10) }

// float writes a number so that it reads back the same, whole ones with a fraction
// as Python does: 1.0.
func (e *encoder) float(f float64) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		e.fail(fmt.Errorf("the number %v has no JSON", f))
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	e.b = strconv.AppendFloat(e.b, f, format, -1, 64)
	if format == 'f' && f == math.Trunc(f) {
		e.raw(".0")
	}
}

// value writes any JSON value; what results hold in most cases goes without
// reflection.
func (e *encoder) value(v any) {
	switch v := v.(type) {
	case nil:
		e.raw("null")
	case string:
		e.string(v)
	case float64:
		e.float(v)
	case map[string]any:
		e.raw("{")
		for i, key := range slices.Sorted(maps.Keys(v)) {
			e.comma(i)
			e.string(key)
			e.raw(":")
			e.value(v[key])
		}
		e.raw("}")
	case []any:
		e.raw("[")
		for i, x := range v {
			e.comma(i)
			e.value(x)
		}
		e.raw("]")
	default:
		data, err := json.Marshal(v)
		if err != nil {
			e.fail(err)
		}
		e.b = append(e.b, data...)
	}
}

func (e *encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

func (e *encoder) string(s string) {
	const hex = "0123456789abcdef"
	e.b = append(e.b, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && size == 1 {
				e.raw(s[from:i])
				e.raw(`\ufffd`)
				from = i + 1
			}
			i += size
			continue
		}
		if c >= ' ' && c != '"' && c != '\\' {
			i++
			continue
		}
		e.raw(s[from:i])
		if c >= ' ' {
			e.b = append(e.b, '\\', c)
		} else {
			e.b = append(e.b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		from = i
	}
	e.raw(s[from:])
	e.b = append(e.b, '"')
}
