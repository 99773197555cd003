package marker

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// statisticsHeader is that of both tables of numbers.
var statisticsHeader = []string{"sender_id", "session_idx", "marker", "statistic", "value"}

// Overall is about all sessions together: in how many each marker applied, and how
// many messages of the user came before. Markers are in alphabetical order.
func Overall(sessions []Session, markers []Marker) Table {
	t := Table{statisticsHeader}
	add := func(marker, statistic, value string) {
		t = append(t, []string{"all", "nan", marker, statistic, value})
	}
	add("-", "total_number_of_sessions", strconv.Itoa(len(sessions)))
	if len(sessions) == 0 {
		return t
	}
	for _, i := range byName(markers) {
		applied := 0
		for _, s := range sessions {
			if len(s.Points[i]) > 0 {
				applied++
			}
		}
		add(markers[i].Name, "number_of_sessions_where_marker_applied_at_least_once", strconv.Itoa(applied))
		add(markers[i].Name, "percentage_of_sessions_where_marker_applied_at_least_once", rounded(float64(applied)/float64(len(sessions))*100))
	}
	for _, i := range byName(markers) {
		var all []Point
		for _, s := range sessions {
			all = append(all, s.Points[i]...)
		}
		n := summarize(all)
		for _, statistic := range []string{"count", "mean", "median", "min", "max"} {
			add(markers[i].Name, statistic+ofTurns, n[statistic])
		}
	}
	return t
}

// PerSession is about the messages before each marker in each session.
func PerSession(sessions []Session, markers []Marker) Table {
	t := Table{statisticsHeader}
	for _, i := range byName(markers) {
		found := make([]map[string]string, len(sessions))
		for j, s := range sessions {
			found[j] = summarize(s.Points[i])
		}
		for _, statistic := range []string{"count", "max", "mean", "median", "min"} {
			for j, s := range sessions {
				t = append(t, []string{s.ConversationID, strconv.Itoa(s.Index), markers[i].Name, statistic + ofTurns, found[j][statistic]})
			}
		}
	}
	return t
}

const ofTurns = "(number of preceding user turns)"

// byName gives the indexes of markers in alphabetical order.
func byName(markers []Marker) []int {
	order := make([]int, len(markers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return strings.Compare(markers[a].Name, markers[b].Name) })
	return order
}

// summarize gives the statistics of the numbers of turns as they are written.
func summarize(points []Point) map[string]string {
	n := len(points)
	if n == 0 {
		return map[string]string{"count": "0", "mean": "nan", "median": "nan", "min": "nan", "max": "nan"}
	}
	turns, sum := make([]int, n), 0
	for i, p := range points {
		turns[i] = p.Turns
		sum += p.Turns
	}
	slices.Sort(turns)
	return map[string]string{
		"count": strconv.Itoa(n), "mean": rounded(float64(sum) / float64(n)), "median": rounded(float64(turns[(n-1)/2]+turns[n/2]) / 2),
		"min": strconv.Itoa(turns[0]), "max": strconv.Itoa(turns[n-1]),
	}
}

// rounded writes a number with up to three decimals, as Python prints it.
func rounded(f float64) string {
	return pystr.Float(math.RoundToEven(f*1000) / 1000)
}
