package interactive

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Learned is what came of a session.
type Learned struct {
	Stories  [][]tracker.Event
	Examples []nludata.Example
	domain.Additions
	EndToEnd bool // texts go into stories
}

// Empty reports whether there is nothing to write.
func (l *Learned) Empty() bool { return len(l.Stories) == 0 }

// Learned gathers what the session has led to so far: a story for each branch in
// which the user said something, an example for each message, and what the model's
// domain lacks.
func (s *Session) Learned() Learned {
	l := Learned{EndToEnd: s.EndToEnd, Additions: domain.Additions{Texts: s.responses}}
	branches := s.branches
	if s.tracker != nil {
		branches = slices.Concat(branches, conversations(s.tracker.Events()))
	}
	known := s.Assistant.ModelDomain()
	add := func(list *[]string, name string, isKnown func(string) bool) {
		if name != "" && !isKnown(name) && !slices.Contains(*list, name) {
			*list = append(*list, name)
		}
	}
	for _, events := range branches {
		if !slices.ContainsFunc(events, isUser) {
			continue
		}
		l.Stories = append(l.Stories, slices.Clone(events))
		for _, e := range events {
			switch e := e.(type) {
			case *tracker.UserUttered:
				add(&l.Intents, e.Intent, known.HasIntent)
				for _, entity := range e.Entities {
					name, _ := entity["entity"].(string)
					add(&l.Entities, name, known.HasEntity)
				}
				if example, ok := exampleOf(e); ok {
					l.Examples = append(l.Examples, example)
				}
			case *tracker.ActionExecuted:
				add(&l.Actions, e.Name, func(name string) bool { _, ok := known.ActionIndex(name); return ok })
			}
		}
	}
	return l
}

// conversations cuts events where a new conversation begins, and leaves out what
// was taken back. Unlike tracker.AppliedEvents it keeps each run of a form.
func conversations(events []tracker.Event) [][]tracker.Event {
	var done [][]tracker.Event
	var open []tracker.Event
	undo := func(match func(tracker.Event) bool) {
		for len(open) > 0 {
			last := open[len(open)-1]
			open = open[:len(open)-1]
			if match(last) {
				return
			}
		}
	}
	for _, e := range events {
		switch e.(type) {
		case *tracker.Restarted, *tracker.SessionStarted:
			done, open = append(done, open), nil
		case *tracker.ActionReverted:
			undo(isAction)
		case *tracker.UserUtteranceReverted:
			undo(isUser)
			undo(isAction)
		default:
			open = append(open, e)
		}
	}
	return append(done, open)
}

func isAction(e tracker.Event) bool { _, ok := e.(*tracker.ActionExecuted); return ok }

func isUser(e tracker.Event) bool { _, ok := e.(*tracker.UserUttered); return ok }

// pretrained are the extractors whose entities nobody annotates.
var pretrained = []string{"DucklingEntityExtractor", "SpacyEntityExtractor"}

// exampleOf is what can be learned from a message. Messages that say themselves
// what they mean are no examples.
func exampleOf(e *tracker.UserUttered) (nludata.Example, bool) {
	if e.Intent == "" || e.Text == "" || strings.HasPrefix(e.Text, "/") {
		return nludata.Example{}, false
	}
	out := nludata.Example{Text: e.Text, Intent: e.Intent}
	if intent, ok := e.ParseData["intent"].(map[string]any); ok {
		if full, _ := intent["full_retrieval_intent_name"].(string); strings.HasPrefix(full, e.Intent+"/") {
			out.IntentResponseKey = full
		}
	}
	for _, entity := range e.Entities {
		start, ok1 := entity["start"].(int64)
		end, ok2 := entity["end"].(int64)
		name, _ := entity["entity"].(string)
		extractor, _ := entity["extractor"].(string)
		if !ok1 || !ok2 || name == "" || slices.Contains(pretrained, extractor) {
			continue
		}
		role, _ := entity["role"].(string)
		group, _ := entity["group"].(string)
		out.Entities = append(out.Entities, nludata.Entity{Start: int(start), End: int(end), Entity: name, Role: role, Group: group, Value: entity["value"]})
	}
	slices.SortStableFunc(out.Entities, func(a, b nludata.Entity) int { return a.Start - b.Start })
	return out, true
}
