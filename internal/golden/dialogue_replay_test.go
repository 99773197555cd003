package golden_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func TestConversationsGoAsRecorded(t *testing.T) {
	checks, err := golden.Conversations(sharedtest.Dir(t, "data", "golden"))
	if err != nil || len(checks) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, c := range checks {
		t.Run(c.File, func(t *testing.T) {
			t.Parallel()
			check(t, c)
		})
	}
}

// TestMoreConversationsGoAsRecorded holds conversations about what the shared
// recordings lack: the actions of fall-backs, two-stage fall-back by every path,
// default actions on an action server, its events of all types, custom mappings
// with conditions.
func TestMoreConversationsGoAsRecorded(t *testing.T) {
	checks, err := golden.Conversations("testdata")
	if err != nil || len(checks) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, c := range checks {
		if r := c.Run("testdata"); !r.OK() || r.Equal == 0 {
			t.Error(r)
		}
	}
}

func TestAnswersOfActionServersLeadWhereTheyDidInRasa(t *testing.T) { check(t, golden.ActionAnswers) }

func TestActionServersGetTheRecordedRequests(t *testing.T) {
	for _, c := range golden.ActionRequests() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}
