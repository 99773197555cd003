package dialoguebench

import (
	"path/filepath"
	"strings"
	"testing"
)

// In each of these projects one thing alone tells which action is right, and no
// story of the tests is among those that were learned.
func TestOneThingAloneDecides(t *testing.T) {
	for _, feature := range features {
		r, err := decide(t.Context(), filepath.Join("testdata", "decides", feature))
		if err != nil {
			t.Fatalf("%s: %v", feature, err)
		}
		if r.actions < 4 || r.right != r.actions || r.frequent == r.actions {
			t.Errorf("%s: %d of %d actions are right (the most frequent would be %d times):\n%s", feature, r.right, r.actions, r.frequent, strings.Join(r.wrong, "\n"))
		}
	}
}
