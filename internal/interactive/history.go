package interactive

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// shown is how many lines of a conversation are printed.
const shown = 24

// showHistory prints the latest part of the conversation, and the slots.
func (s *Session) showHistory() {
	lines := history(s.tracker.AppliedEvents())
	s.Ask.printf("------\n")
	if n := len(lines) - shown; n > 0 {
		s.Ask.printf("  … %d earlier lines\n", n)
		lines = lines[n:]
	}
	for _, line := range lines {
		s.Ask.printf("  %s\n", line)
	}
	var slots []string
	for _, name := range slices.Sorted(maps.Keys(s.tracker.Slots())) {
		if value := s.tracker.Slot(name); value != nil {
			slots = append(slots, name+": "+pystr.Str(value))
		}
	}
	if len(slots) > 0 {
		s.Ask.printf("  Slots: %s\n", strings.Join(slots, ", "))
	}
	s.Ask.printf("------\n")
}

func history(events []tracker.Event) []string {
	var out []string
	for _, e := range events {
		switch e := e.(type) {
		case *tracker.UserUttered:
			out = append(out, fmt.Sprintf("you  %s   (%s %.2f)", story.Annotated(e.Text, e.Entities), e.Intent, e.Confidence))
		case *tracker.ActionExecuted:
			line := "bot  " + e.Name + e.ActionText
			if e.HasConfidence {
				line += fmt.Sprintf(" %.2f", e.Confidence)
			}
			out = append(out, line)
		case *tracker.BotUttered:
			out = append(out, "       “"+e.Text+"”")
		case *tracker.SlotSet:
			out = append(out, "       "+e.Name+" = "+pystr.Str(e.Value))
		case *tracker.ActiveLoop:
			if e.Name == "" {
				out = append(out, "       the form has ended")
			} else {
				out = append(out, "       the form "+e.Name+" has begun")
			}
		case *tracker.ActionExecutionRejected:
			out = append(out, "       "+e.Name+" rejected the message")
		}
	}
	return out
}
