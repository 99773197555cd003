package nlg

import (
	"context"
	"strings"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// fill replaces {name} in all strings of a value, however deep.
func (g *Templates) fill(ctx context.Context, response string, v any, lookup func(string) (any, bool)) any {
	switch v := v.(type) {
	case string:
		filled, unknown := Interpolate(v, lookup)
		if unknown != "" {
			g.logger.ErrorContext(ctx, "response names a value that does not exist", "response", response, "name", unknown)
		}
		return filled
	case []any:
		out := make([]any, len(v))
		for i, x := range v {
			out[i] = g.fill(ctx, response, x, lookup)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, x := range v {
			out[k] = g.fill(ctx, response, x, lookup)
		}
		return out
	default:
		return v
	}
}

// Interpolate replaces each {name} in text by the value of that name as Python
// prints it, and each {{name}} by {name}. If a name is unknown the whole text
// stays as it is, as in Rasa 3.6.21, and that name is returned.
func Interpolate(text string, lookup func(string) (any, bool)) (filled, unknown string) {
	if !strings.Contains(text, "{") {
		return text, ""
	}
	var b strings.Builder
	for rest := text; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			b.WriteString(rest)
			break
		}
		b.WriteString(rest[:open])
		rest = rest[open:]
		if strings.HasPrefix(rest, "{{") {
			if end := strings.Index(rest, "}}"); end > 2 && isName(rest[2:end]) {
				b.WriteString("{" + rest[2:end] + "}")
				rest = rest[end+2:]
				continue
			}
		}
		end := strings.IndexByte(rest, '}')
		if end < 2 || !isName(rest[1:end]) {
			b.WriteByte('{')
			rest = rest[1:]
			continue
		}
		value, ok := lookup(rest[1:end])
		if !ok {
			return text, rest[1:end]
		}
		b.WriteString(pystr.Str(value))
		rest = rest[end+1:]
	}
	return b.String(), ""
}

func isName(s string) bool { return s != "" && !strings.ContainsAny(s, "{\n") }
