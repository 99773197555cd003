package dialogue

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// State is what policies see of a conversation at one point: what the user said
// last, the action before, the active loop, and the slots that influence the
// conversation. Values are shared between states and never changed.
type State struct {
	Intent   string
	Text     string   // only where the user's text counts instead of the intent
	Entities []string // sorted: name, name#role, name#group

	Action     string // name of the previous action
	ActionText string // text of the previous action, if it was end-to-end

	Loop string

	// Slots has the slots with a feature that is not zero, sorted by name.
	Slots []SlotState
}

// SlotState is the feature vector of one slot as JSON ("[1.0, 0.0]"), which is
// what states are compared by, or UnsetFeatures in rules.
type SlotState struct {
	Name     string
	Features string
}

// UnsetFeatures stands for a slot that a rule wants to be unset.
const UnsetFeatures = `"should_not_be_set"`

// HasUser reports whether the user has said anything that counts.
func (s *State) HasUser() bool { return s.Intent != "" || s.Text != "" || len(s.Entities) > 0 }

// HasAction reports whether any action came before.
func (s *State) HasAction() bool { return s.Action != "" || s.ActionText != "" }

// Slot returns the features of a slot, or "".
func (s *State) Slot(name string) string {
	for i := range s.Slots {
		if s.Slots[i].Name == name {
			return s.Slots[i].Features
		}
	}
	return ""
}

// Equal reports whether two states are the same.
func (s *State) Equal(o *State) bool {
	return s.Intent == o.Intent && s.Text == o.Text && s.Action == o.Action && s.ActionText == o.ActionText &&
		s.Loop == o.Loop && slices.Equal(s.Entities, o.Entities) && slices.Equal(s.Slots, o.Slots)
}

// AppendJSON appends the state as Python's json.dumps prints it with sorted keys,
// which is the form that rules and memorised turns are stored in, and whose
// length decides between rules.
func (s *State) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	open := len(b)
	part := func(name string) {
		if len(b) > open {
			b = append(b, ", "...)
		}
		b = append(b, '"')
		b = append(b, name...)
		b = append(b, `": `...)
	}
	if s.Loop != "" {
		part("active_loop")
		b = append(b, `{"name": `...)
		b = append(appendPython(b, s.Loop), '}')
	}
	if s.HasAction() {
		part("prev_action")
		if s.Action != "" {
			b = append(b, `{"action_name": `...)
			b = append(appendPython(b, s.Action), '}')
		} else {
			b = append(b, `{"action_text": `...)
			b = append(appendPython(b, s.ActionText), '}')
		}
	}
	if len(s.Slots) > 0 {
		part("slots")
		for i, slot := range s.Slots {
			b = append(b, separator(i, '{')...)
			b = append(appendPython(b, slot.Name), ": "...)
			b = append(b, slot.Features...)
		}
		b = append(b, '}')
	}
	if s.HasUser() {
		part("user")
		b = s.appendUser(b)
	}
	return append(b, '}')
}

func (s *State) appendUser(b []byte) []byte {
	n := 0
	if len(s.Entities) > 0 {
		b = append(b, `{"entities": `...)
		for i, e := range s.Entities {
			b = append(b, separator(i, '[')...)
			b = appendPython(b, e)
		}
		b = append(b, ']')
		n++
	}
	if s.Intent != "" {
		b = append(b, separator(n, '{')...)
		b = appendPython(append(b, `"intent": `...), s.Intent)
		n++
	}
	if s.Text != "" {
		b = append(b, separator(n, '{')...)
		b = appendPython(append(b, `"text": `...), s.Text)
	}
	return append(b, '}')
}

func separator(i int, first byte) string {
	switch {
	case i > 0:
		return ", "
	case first == '[':
		return "["
	default:
		return "{"
	}
}

// AppendStates appends a list of states as JSON.
func AppendStates(b []byte, states []State) []byte {
	b = append(b, '[')
	for i := range states {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = states[i].AppendJSON(b)
	}
	return append(b, ']')
}

// appendPython appends a string in the quotes and escapes of Python's json.dumps,
// which leaves only ASCII.
func appendPython(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r < 0x7f:
			b = append(b, byte(r))
		case r == '\n':
			b = append(b, `\n`...)
		case r == '\r':
			b = append(b, `\r`...)
		case r == '\t':
			b = append(b, `\t`...)
		case r == '\b':
			b = append(b, `\b`...)
		case r == '\f':
			b = append(b, `\f`...)
		case r >= 0x10000 && r <= utf8.MaxRune:
			hi, lo := utf16.EncodeRune(r)
			b = appendUnit(appendUnit(b, hi), lo)
		default:
			b = appendUnit(b, r)
		}
	}
	return append(b, '"')
}

func appendUnit(b []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	return append(b, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// appendFloats appends a list of numbers as Python's json.dumps does.
func appendFloats(b []byte, values []float64) []byte {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, pystr.Float(v)...)
	}
	return append(b, ']')
}

// ParseStates reads what AppendStates wrote.
func ParseStates(text string) ([]State, error) {
	var raw []struct {
		Loop struct {
			Name string `json:"name"`
		} `json:"active_loop"`
		Action struct {
			Name string `json:"action_name"`
			Text string `json:"action_text"`
		} `json:"prev_action"`
		Slots map[string]json.RawMessage `json:"slots"`
		User  struct {
			Intent   string   `json:"intent"`
			Text     string   `json:"text"`
			Entities []string `json:"entities"`
		} `json:"user"`
	}
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return nil, fmt.Errorf("read states: %w", err)
	}
	states := make([]State, len(raw))
	for i, r := range raw {
		states[i] = State{
			Intent: r.User.Intent, Text: r.User.Text, Entities: r.User.Entities,
			Action: r.Action.Name, ActionText: r.Action.Text, Loop: r.Loop.Name,
		}
		for _, name := range slices.Sorted(maps.Keys(r.Slots)) {
			states[i].Slots = append(states[i].Slots, SlotState{name, string(r.Slots[name])})
		}
	}
	return states, nil
}
