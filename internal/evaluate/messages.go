package evaluate

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// None is how reports name the intent of a message that has none.
const None = "None"

// intentOf is the intent of a message as a story writes it: with its response, if
// it is a retrieval intent's.
func intentOf(e *tracker.UserUttered) string {
	return cmp.Or(fullIntent(e), e.Intent, None)
}

func fullIntent(e *tracker.UserUttered) string {
	intent, _ := e.ParseData["intent"].(map[string]any)
	full, _ := intent["full_retrieval_intent_name"].(string)
	return full
}

// messagePair is a message as a story has it beside what was understood.
type messagePair struct {
	expected, understood *tracker.UserUttered
	want, got            string // intents; both full, or both base ones
	wrong                bool
	entities             []Pair // labels of entities that stand at the same place
}

func compareMessages(expected, understood *tracker.UserUttered) messagePair {
	m := messagePair{expected: expected, understood: understood, want: intentOf(expected), got: cmp.Or(understood.Intent, None)}
	if strings.Contains(m.want, "/") {
		m.got = intentOf(understood)
	}
	m.wrong = m.want != m.got
	pairs, nothing := aligned(expected.Entities, understood.Entities), ""
	if len(expected.Entities) == 0 {
		nothing = None
	}
	for _, pair := range pairs {
		if !sameEntity(pair[0], pair[1]) {
			m.wrong = true
		}
		m.entities = append(m.entities, Pair{entityLabel(expected.Text, pair[0], nothing), entityLabel(understood.Text, pair[1], nothing)})
	}
	return m
}

// aligned puts entities that begin at the same place side by side; others stand
// beside nil.
func aligned(expected, understood []tracker.Entity) [][2]tracker.Entity {
	expected, understood = byPlace(expected), byPlace(understood)
	var pairs [][2]tracker.Entity
	for len(expected) > 0 || len(understood) > 0 {
		var order int
		switch {
		case len(understood) == 0:
			order = -1
		case len(expected) == 0:
			order = 1
		default:
			order = cmp.Compare(startOf(expected[0]), startOf(understood[0]))
		}
		var pair [2]tracker.Entity
		if order <= 0 {
			pair[0], expected = expected[0], expected[1:]
		}
		if order >= 0 {
			pair[1], understood = understood[0], understood[1:]
		}
		pairs = append(pairs, pair)
	}
	return pairs
}

func byPlace(entities []tracker.Entity) []tracker.Entity {
	return slices.SortedStableFunc(slices.Values(entities), comparePlaces)
}

func comparePlaces(a, b tracker.Entity) int {
	return cmp.Or(cmp.Compare(startOf(a), startOf(b)), cmp.Compare(endOf(a), endOf(b)), strings.Compare(text(a, "entity"), text(b, "entity")))
}

func startOf(e tracker.Entity) int { n, _ := place(e, "start"); return n }

func endOf(e tracker.Entity) int { n, _ := place(e, "end"); return n }

func place(e tracker.Entity, key string) (int, bool) {
	switch v := e[key].(type) {
	case int:
		return v, true
	case int64:
		return int(v), true
	case float64:
		return int(v), true
	}
	return 0, false
}

func text(e tracker.Entity, key string) string { s, _ := e[key].(string); return s }

// sameEntity reports whether two entities mean the same. Roles and groups do not
// count (Rasa 3.6.21).
func sameEntity(a, b tracker.Entity) bool {
	return a != nil && b != nil && comparePlaces(a, b) == 0 && reflect.DeepEqual(pystr.Numbers(a["value"]), pystr.Numbers(b["value"]))
}

// entityLabel names an entity as stories write it, [Paris](city); where there is
// none it is nothing.
func entityLabel(whole string, e tracker.Entity, nothing string) string {
	if e == nil {
		return nothing
	}
	bare := maps.Clone(e)
	delete(bare, "role")
	delete(bare, "group")
	marked := ""
	if runes, start, end := []rune(whole), startOf(e), endOf(e); start >= 0 && start < end && end <= len(runes) {
		marked = string(runes[start:end])
	}
	return story.Mark(marked, bare)
}

// asExpected is the message that the conversation goes on with: what the story
// says, whatever was understood. The intent is the one that is written there, with
// its response.
func (m messagePair) asExpected() *tracker.UserUttered {
	e := *m.expected
	if m.want != None {
		e.Intent = m.want
	}
	return &e
}

// step is the story's step with what was understood instead. Of the entities those
// are shown for which something was found at the same place; what else was
// understood is told where that says nothing (Rasa 3.6.21).
func (m messagePair) step() story.PlayedStep {
	s := story.PlayedStep{Event: m.expected, Replaced: true}
	for _, pair := range aligned(m.expected.Entities, m.understood.Entities) {
		want, got := pair[0], pair[1]
		if want == nil || got == nil {
			continue
		}
		shown := story.PlayedEntity{Name: text(want, "entity"), Value: want["value"]}
		if name := text(got, "entity"); name != shown.Name {
			shown.Comment = "predicted: " + name + ": " + pystr.Str(got["value"])
		}
		s.Entities = append(s.Entities, shown)
	}
	if m.want != m.got || len(s.Entities) == 0 {
		s.Comment = "predicted: " + m.got + ": " + story.Annotated(m.understood.Text, m.understood.Entities)
	}
	return s
}
