package dialogue

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/story"
)

// SlotFeatures gives the feature vector of a slot's value by the slot's type
// (Rasa 3.6). A slot that does not influence the conversation has none.
func SlotFeatures(s *domain.Slot, value any) []float64 {
	if !s.Influences {
		return nil
	}
	switch s.Type {
	case domain.Text:
		return []float64{number(value != nil)}
	case domain.Bool:
		if v, ok := boolean(value); ok {
			return []float64{1, number(v)}
		}
		return []float64{0, 0}
	case domain.Float:
		v, ok := float(value)
		switch {
		case !ok:
			return []float64{0, 0}
		case s.Max <= s.Min:
			return []float64{1, 0}
		}
		return []float64{1, (min(max(v, s.Min), s.Max) - s.Min) / (s.Max - s.Min)}
	case domain.List:
		return []float64{number(pystr.Truth(value))}
	case domain.Categorical:
		return categorical(s, value)
	default:
		return nil
	}
}

// categorical is one-hot over the values and, last, "any other".
func categorical(s *domain.Slot, value any) []float64 {
	out := make([]float64, len(s.Values)+1)
	if value == nil {
		return out
	}
	text := strings.ToLower(pystr.Str(value))
	for i, v := range s.Values {
		if v == text {
			out[i] = 1
			return out
		}
	}
	out[len(s.Values)] = 1
	return out
}

// featureText gives the features as they stand in states, or "" when all are
// zero.
func featureText(s *domain.Slot, value any) string {
	if value == story.Unset && s.Influences && s.Type != domain.Any && s.Type != domain.List {
		return UnsetFeatures // a list slot makes a list of the marker, and counts as set: Rasa 3.6.21
	}
	switch s.Type { // the common cases without an allocation
	case domain.Text, domain.List:
		if !s.Influences || s.Type == domain.Text && value == nil || s.Type == domain.List && !pystr.Truth(value) {
			return ""
		}
		return "[1.0]"
	case domain.Bool:
		v, ok := boolean(value)
		switch {
		case !ok || !s.Influences:
			return ""
		case v:
			return "[1.0, 1.0]"
		default:
			return "[1.0, 0.0]"
		}
	}
	features := SlotFeatures(s, value)
	for _, f := range features {
		if f != 0 {
			return string(appendFloats(nil, features))
		}
	}
	return ""
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// boolean reads what counts as true or false in a bool slot.
func boolean(value any) (v, ok bool) {
	switch x := value.(type) {
	case bool:
		return x, true
	case string:
		t := strings.TrimSpace(x)
		if t != "" && strings.Trim(t, "0123456789") == "" {
			f, err := strconv.ParseFloat(t, 64)
			return f == 1, err == nil
		}
		switch strings.ToLower(t) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
		return false, false
	default:
		f, ok := float(value)
		return f == 1, ok
	}
}

func float(value any) (float64, bool) {
	switch x := value.(type) {
	case float64:
		return x, true
	case int64:
		return float64(x), true
	case int:
		return float64(x), true
	case json.Number:
		f, err := x.Float64()
		return f, err == nil
	case bool:
		return number(x), true
	case string:
		f, err := strconv.ParseFloat(strings.TrimSpace(x), 64)
		return f, err == nil
	default:
		return 0, false
	}
}
