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
		filled, problem := Interpolate(v, lookup)
		if problem != "" {
			g.logger.ErrorContext(ctx, "a text of the response can't be filled in and stays as it is", "response", response, "problem", problem)
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

// What keeps a text from being filled in.
const (
	brokenBraces = "a brace without its other half; write {{ or }} for a brace"
	mixedBraces  = "both {name} and {{name}}, or 0[, which Rasa can't fill in"
)

// Interpolate replaces each {name} in text by the value of that name as Python
// prints it; {{ and }} stand for braces. As in Rasa 3.6.21 the whole text stays as
// it is when a name is unknown, and when {{name}} stands beside {name}; the same
// is done where Rasa's action fails, over a brace without its other half. The
// problem is "" if there is none.
func Interpolate(text string, lookup func(string) (any, bool)) (filled, problem string) {
	if !strings.ContainsAny(text, "{}") {
		return text, ""
	}
	var b strings.Builder
	names, quoted := false, strings.Contains(text, "0[")
	for i := 0; i < len(text); {
		switch rest := text[i:]; {
		case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
			b.WriteByte(rest[0])
			i += 2
			quoted = quoted || rest[0] == '{' && placeholder(rest[1:]) != ""
		case rest[0] == '{':
			name := placeholder(rest)
			if name == "" {
				return text, brokenBraces
			}
			value, ok := lookup(name)
			if !ok || isNumber(name) { // a number is no name in Python's format
				return text, "there is no value of the name " + name
			}
			b.WriteString(pystr.Str(value))
			names = true
			i += len(name) + 2
		case rest[0] == '}':
			return text, brokenBraces
		default:
			b.WriteByte(rest[0])
			i++
		}
	}
	if names && quoted {
		return text, mixedBraces
	}
	return b.String(), ""
}

// placeholder is the name in the braces that text begins with, or "".
func placeholder(text string) string {
	end := strings.IndexAny(text[1:], "{}\n")
	if end < 1 || text[1+end] != '}' {
		return ""
	}
	return text[1 : 1+end]
}

func isNumber(name string) bool { return strings.Trim(name, "0123456789") == "" }
