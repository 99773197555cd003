package nlg

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
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
		b.WriteString(PythonString(value))
		rest = rest[end+1:]
	}
	return b.String(), ""
}

func isName(s string) bool { return s != "" && !strings.ContainsAny(s, "{\n") }

// PythonString prints a JSON value as Python's str does: None, True, 1.0,
// ['a', 1].
func PythonString(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(appendRepr(nil, v))
}

// appendRepr appends a value as Python's repr prints it.
func appendRepr(dst []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return append(dst, "None"...)
	case bool:
		if v {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case int64:
		return strconv.AppendInt(dst, v, 10)
	case int:
		return strconv.AppendInt(dst, int64(v), 10)
	case float64:
		return appendPythonFloat(dst, v)
	case string:
		return appendPythonQuoted(dst, v)
	case []any:
		dst = append(dst, '[')
		for i, x := range v {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = appendRepr(dst, x)
		}
		return append(dst, ']')
	case map[string]any:
		dst = append(dst, '{')
		for i, k := range slices.Sorted(maps.Keys(v)) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(appendPythonQuoted(dst, k), ": "...)
			dst = appendRepr(dst, v[k])
		}
		return append(dst, '}')
	default:
		return dst
	}
}

// appendPythonFloat prints the shortest text that reads back as f, with an
// exponent below 1e-4 and from 1e16 on, as Python does.
func appendPythonFloat(dst []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f):
		return append(dst, "nan"...)
	case math.IsInf(f, 1):
		return append(dst, "inf"...)
	case math.IsInf(f, -1):
		return append(dst, "-inf"...)
	case f != 0 && (abs < 1e-4 || abs >= 1e16):
		return strconv.AppendFloat(dst, f, 'e', -1, 64)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	if !slices.Contains(dst[start:], '.') {
		dst = append(dst, ".0"...)
	}
	return dst
}

// appendPythonQuoted prints a string in single quotes, or in double ones when it
// holds only single ones.
func appendPythonQuoted(dst []byte, s string) []byte {
	quote := '\''
	if strings.ContainsRune(s, '\'') && !strings.ContainsRune(s, '"') {
		quote = '"'
	}
	dst = append(dst, byte(quote))
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < ' ' || r == 0x7f:
			dst = append(dst, `\x`...)
			dst = append(dst, strconv.FormatInt(int64(r)+0x100, 16)[1:]...)
		case !unicode.IsPrint(r):
			dst = append(dst, strings.Trim(strconv.QuoteRuneToASCII(r), "'")...)
		default:
			dst = append(dst, string(r)...)
		}
	}
	return append(dst, byte(quote))
}
