package endtoend

import (
	"path/filepath"
	"testing"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// TestAnswersAsRecorded replays golden/http against the program.
func TestAnswersAsRecorded(t *testing.T) {
	dir := filepath.Dir(sharedtest.Dir(t, "data", "golden", "http"))
	for _, check := range golden.HTTPChecks(golden.Program{Path: program(t), Env: []string{asProgram + "=1"}}) {
		t.Run(check.File, func(t *testing.T) {
			if r := check.Run(dir); !r.OK() {
				t.Error(r)
			} else {
				t.Log(r)
			}
		})
	}
}
