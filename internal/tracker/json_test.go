package tracker_test

import (
	"math"
	"testing"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// Python's json.dumps gave these.
func TestNumbersAreWrittenAsPythonDoes(t *testing.T) {
	for want, number := range map[string]float64{
		"0.0": 0, "5.0": 5, "-0.5": -0.5, "1234567.5": 1234567.5, "2000000.0": 2e6, "1795284728.931302": 1795284728.931302,
		"1e+16": 1e16, "1.5e+300": 1.5e300, "0.0001": 1e-4, "1.5e-05": 1.5e-5, "null": math.Inf(1),
	} {
		if got := string(tracker.AppendValue(nil, number)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
