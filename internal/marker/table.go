package marker

import (
	"strconv"
	"strings"
)

// Table is the contents of a CSV file: a header and rows.
type Table [][]string

// CSV writes a table as Python's csv module does: lines end in CR LF, and a value
// is quoted only where it has to be.
func (t Table) CSV() []byte {
	var b strings.Builder
	for _, row := range t {
		for i, value := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.ContainsAny(value, ",\"\r\n") {
				value = `"` + strings.ReplaceAll(value, `"`, `""`) + `"`
			}
			b.WriteString(value)
		}
		b.WriteString("\r\n")
	}
	return []byte(b.String())
}

// Points lists where each marker applies: by conversation, session, marker, event.
func Points(sessions []Session, markers []Marker) Table {
	t := Table{{"sender_id", "session_idx", "marker", "event_idx", "num_preceding_user_turns"}}
	for _, s := range sessions {
		for i, points := range s.Points {
			for _, p := range points {
				t = append(t, []string{s.ConversationID, strconv.Itoa(s.Index), markers[i].Name, strconv.Itoa(p.Event), strconv.Itoa(p.Turns)})
			}
		}
	}
	return t
}
