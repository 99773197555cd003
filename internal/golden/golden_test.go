package golden_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// check runs one comparison and fails on every difference without an
// explanation.
func check(t *testing.T, c golden.Check) {
	t.Helper()
	r := c.Run(sharedtest.Dir(t, "data", "golden"))
	if !r.OK() {
		t.Error(r)
	}
	if r.Equal == 0 {
		t.Errorf("%s: nothing was compared", c.File)
	}
	t.Log(r)
}

func TestProjectsAreReadAsRecorded(t *testing.T) {
	for _, c := range golden.Project() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}

func TestDialogueIsLearnedAsRecorded(t *testing.T) {
	for _, c := range golden.Dialogue() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}

func TestTextsAreEncodedAsRecorded(t *testing.T) {
	for _, c := range golden.Encoder() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}
