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

func TestAnswersOfActionServersLeadWhereTheyDidInRasa(t *testing.T) { check(t, golden.ActionAnswers) }

func TestActionServersGetTheRecordedRequests(t *testing.T) {
	for _, c := range golden.ActionRequests() {
		t.Run(c.File, func(t *testing.T) { check(t, c) })
	}
}
