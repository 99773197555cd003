package yamlfile

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

var (
	intPattern   = regexp.MustCompile(`^[-+]?[0-9][0-9_]*$`)
	floatPattern = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$`)
	datePattern  = regexp.MustCompile(`^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt \t].*[0-9Zz])?$`)
	variable     = regexp.MustCompile(`\$\{([^}]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)`)
	escape       = regexp.MustCompile(`\\u[0-9a-fA-F]{4}`)
)

// resolve gives a plain scalar the kind of YAML 1.2's core schema, and of what
// Rasa reads beside it: dates, and underscores between digits.
func resolve(n *Node) {
	text := n.Text
	switch text {
	case "", "~", "null", "Null", "NULL":
		n.Kind = Null
		return
	case "true", "True", "TRUE":
		n.Kind, n.Flag = Bool, true
		return
	case "false", "False", "FALSE":
		n.Kind = Bool
		return
	case ".inf", ".Inf", ".INF", "+.inf", "-.inf", ".nan", ".NaN", ".NAN":
		f, _ := strconv.ParseFloat(strings.Replace(text, ".", "", 1), 64)
		n.setFloat(f)
		return
	}
	if c := text[0]; c != '-' && c != '+' && c != '.' && (c < '0' || c > '9') {
		return
	}
	digits := strings.ReplaceAll(text, "_", "")
	switch {
	case intPattern.MatchString(text):
		n.setInt(digits, 10)
	case strings.HasPrefix(text, "0x"):
		n.setInt(digits[2:], 16)
	case strings.HasPrefix(text, "0o"):
		n.setInt(digits[2:], 8)
	case floatPattern.MatchString(text):
		if f, err := strconv.ParseFloat(digits, 64); err == nil {
			n.setFloat(f)
		}
	case datePattern.MatchString(text):
		n.Kind = Date
	}
}

func (n *Node) setFloat(f float64) { n.Kind, n.number = Float, math.Float64bits(f) }

func (n *Node) setInt(digits string, base int) {
	if i, err := strconv.ParseInt(digits, base, 64); err == nil {
		n.Kind, n.number = Int, uint64(i)
	} else if f, err := strconv.ParseFloat(digits, 64); err == nil && base == 10 {
		n.setFloat(f) // larger than 64 bits
	}
}

// expand replaces ${NAME}, and $NAME beside it, by values of the environment. A
// text without ${ is left alone. It returns the names of ${…} that are not set.
func expand(text string, lookup func(string) (string, bool)) (expanded string, unset []string) {
	if !strings.Contains(text, "${") {
		return text, nil
	}
	expanded = variable.ReplaceAllStringFunc(text, func(match string) string {
		groups := variable.FindStringSubmatch(match)
		name := groups[1] + groups[2]
		value, ok := lookup(name)
		switch {
		case ok:
			return value
		case groups[1] != "":
			unset = append(unset, name)
		}
		return match
	})
	return expanded, unset
}

// decodeEscapes replaces \uXXXX in a file that is ASCII throughout, also outside
// of quotes, as Rasa does, so that emoji written as two escapes become one.
func decodeEscapes(data []byte) []byte {
	if !bytes.Contains(data, []byte(`\u`)) {
		return data
	}
	for _, c := range data {
		if c >= utf8.RuneSelf {
			return data
		}
	}
	var out bytes.Buffer
	rest := data
	for {
		at := escape.FindIndex(rest)
		if at == nil {
			out.Write(rest)
			return out.Bytes()
		}
		out.Write(rest[:at[0]])
		r := codeUnit(rest[at[0]:at[1]])
		rest = rest[at[1]:]
		if utf16.IsSurrogate(r) {
			if next := escape.FindIndex(rest); next != nil && next[0] == 0 {
				r = utf16.DecodeRune(r, codeUnit(rest[:next[1]]))
				rest = rest[next[1]:]
			}
		}
		out.WriteRune(r)
	}
}

func codeUnit(escape []byte) rune {
	v, _ := strconv.ParseUint(string(escape[2:]), 16, 16)
	return rune(v)
}
