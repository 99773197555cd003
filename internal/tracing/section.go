package tracing

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// section reads one map of endpoints.yml and remembers which of its keys were
// asked for.
type section struct {
	name     string // for messages: "tracing"
	node     *yamlfile.Node
	problems *diag.List
	known    []string
}

func (s *section) get(key string) *yamlfile.Node {
	s.known = append(s.known, key)
	n := s.node.Get(key)
	if n.IsNull() {
		return nil
	}
	return n
}

// text reads any scalar as a string; "" when absent.
func (s *section) text(key string) string {
	n := s.get(key)
	if n == nil {
		return ""
	}
	if !n.IsScalar() {
		s.wrong(n, key, "a string")
		return ""
	}
	return strings.TrimSpace(n.Text)
}

// flag reads a boolean; absent is nil.
func (s *section) flag(key string) *bool {
	n := s.get(key)
	if n == nil {
		return nil
	}
	if v, ok := asBool(n); ok {
		return &v
	}
	s.wrong(n, key, "true or false")
	return nil
}

func asBool(n *yamlfile.Node) (value, ok bool) {
	if n.Kind == yamlfile.Bool {
		return n.Flag, true
	}
	return parseBool(n.Text)
}

// number reads a number; absent is fallback.
func (s *section) number(key string, least, most, fallback float64) float64 {
	n := s.get(key)
	if n == nil {
		return fallback
	}
	v, ok := asNumber(n)
	if !ok || v < least || v > most {
		s.problems.Errorf(n.Pos, codeValue, "", "%s: %s needs a number from %v to %v", s.name, key, least, most)
		return fallback
	}
	return v
}

// oneOf reads one of the given words; absent is "".
func (s *section) oneOf(key string, words ...string) string {
	v := strings.ToLower(s.text(key))
	if v != "" && !slices.Contains(words, v) {
		s.problems.Errorf(s.node.Get(key).Pos, codeValue, "one of: "+strings.Join(words, ", "), "%s: %s can't be %q", s.name, key, v)
		return ""
	}
	return v
}

// table reads a map of strings.
func (s *section) table(key string) map[string]string {
	n := s.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yamlfile.Map {
		s.wrong(n, key, "a map")
		return nil
	}
	out := make(map[string]string, len(n.Pairs))
	for _, p := range n.Pairs {
		if !p.Value.IsScalar() {
			s.wrong(p.Value, key+"."+p.Key.Text, "a string")
			continue
		}
		out[p.Key.Text] = p.Value.Text
	}
	return out
}

// sub reads a map that has keys of its own.
func (s *section) sub(key string) *section {
	n := s.get(key)
	if n == nil {
		return nil
	}
	if n.Kind != yamlfile.Map {
		s.wrong(n, key, "a map")
		return nil
	}
	return &section{name: s.name + "." + key, node: n, problems: s.problems}
}

func (s *section) wrong(n *yamlfile.Node, key, want string) {
	s.problems.Errorf(n.Pos, codeValue, "", "%s: %s needs %s, not %s", s.name, key, want, n.Kind)
}

// pos is the place of a key's value, or of the section when it is absent.
func (s *section) pos(key string) diag.Position {
	if n := s.node.Get(key); n != nil {
		return n.Pos
	}
	return s.node.Pos
}

// ignored are the keys that Rasa reads into its endpoint object and never uses
// for tracing.
var ignored = []string{"url", "params", "basic_auth", "token", "token_name", "cafile", "actions_module"}

// finish warns about keys that nobody asked for.
func (s *section) finish() {
	for _, p := range s.node.Pairs {
		key := p.Key.Text
		switch {
		case slices.Contains(s.known, key):
		case slices.Contains(ignored, key):
			s.problems.Warnf(p.Key.Pos, codeKey, "Rasa ignores it here as well", "%s: %s has no effect", s.name, key)
		default:
			known := slices.Compact(slices.Sorted(slices.Values(s.known)))
			hint := diag.DidYouMean(key, known)
			if hint == "" {
				hint = "known here: " + strings.Join(known, ", ")
			}
			s.problems.Warnf(p.Key.Pos, codeKey, hint, "%s: %s is not a known key and has no effect", s.name, key)
		}
	}
}
