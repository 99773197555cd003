package golden_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/golden"
)

func TestConfigurationsMeanWhatIsRecorded(t *testing.T) {
	for _, c := range golden.Engine() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}
