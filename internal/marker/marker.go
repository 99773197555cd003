// Package marker finds points of interest in recorded conversations: the events at
// which a condition on actions, intents and slots holds, as markers.yml defines
// them, and numbers about how early in a conversation they come.
//
// The format, the order of rows and the files are those of Rasa 3.6; what Rasa
// gets wrong is not copied (docs/compatibility.md).
package marker

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Marker is a condition with a name.
type Marker struct {
	Name      string
	Pos       diag.Position
	condition *condition
}

// Measure returns the levels of the deepest marker, and the most conditions that
// stand below one operator.
func Measure(markers []Marker) (depth, width int) {
	for _, m := range markers {
		d, w := m.condition.measure()
		depth, width = max(depth, d), max(width, w)
	}
	return depth, width
}

// Point is an event at which a marker applies.
type Point struct {
	Event int // counted in the conversation, from 0
	Turns int // messages of the user before it, in the session
}

// Session is what was found in one session of a conversation.
type Session struct {
	ConversationID string
	Index          int       // of the session in the conversation, from 0
	Points         [][]Point // by the index of the marker
}

// Find applies markers to the events of a conversation, to each session by itself.
// A session begins with action_session_start; events before the first one belong
// to none, unless there is no other session.
func Find(conversationID string, events []tracker.Event, markers []Marker) []Session {
	starts := sessionStarts(events)
	sessions := make([]Session, len(starts))
	for i, start := range starts {
		end := len(events)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		s := Session{ConversationID: conversationID, Index: i, Points: make([][]Point, len(markers))}
		for j, m := range markers {
			s.Points[j] = m.find(events[start:end], start)
		}
		sessions[i] = s
	}
	return sessions
}

// sessionStart is the action that a session begins with.
const sessionStart = "action_session_start"

func sessionStarts(events []tracker.Event) []int {
	var starts []int
	for i, e := range events {
		if a, ok := e.(*tracker.ActionExecuted); ok && a.Name == sessionStart {
			starts = append(starts, i)
		}
	}
	if len(starts) == 0 && len(events) > 0 {
		return []int{0}
	}
	return starts
}

// find returns where the marker applies in the events of a session, the first of
// which has that index.
func (m Marker) find(events []tracker.Event, first int) []Point {
	var points []Point
	s, turns, holds := m.condition.newState(), 0, false
	for i, e := range events {
		if holds = m.condition.holds(e, &s); holds {
			points = append(points, Point{first + i, turns})
		}
		if _, ok := e.(*tracker.UserUttered); ok {
			turns++
		}
	}
	if m.condition.kind != occurrence || len(points) == 0 {
		return points
	}
	if m.condition.negated && !holds {
		return nil // it was so for a while only, and never is never
	}
	return slices.Clip(points[:1])
}
