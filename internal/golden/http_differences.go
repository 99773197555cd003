package golden

import "time"

// known is a difference that docs/compatibility.md explains, below HTTP.
type known struct {
	why  string
	skip bool // can't be compared: it takes a minute, or never answers
}

// differences are the exchanges that differ on purpose, by file and id.
var differences = map[string]known{
	"rest/stream-error": {"a stream of nothing ends at once", true},
}

// actionDelay is how late the recorded action server was. limits.json was
// recorded with one that takes longer than the response time-out.
func (f *httpFile) actionDelay() time.Duration {
	if f.name == "limits.json" {
		return 4 * time.Second
	}
	return 0
}
