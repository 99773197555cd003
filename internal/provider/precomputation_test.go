package provider_test

import (
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/provider"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Policies look at texts of users as NLU does: nobody may take the memory of the
// machine with one message.
func TestTextsBeyondTheLimitAreNotFeaturized(t *testing.T) {
	for _, typ := range provider.Types() {
		if typ.Name != "CoreFeaturizationInputConverter" {
			continue
		}
		for length, want := range map[int]int{nlu.LongestText: 1, nlu.LongestText + 1: 0} {
			conversation := tracker.New("c", &domain.Domain{})
			conversation.Update(&tracker.UserUttered{Text: strings.Repeat("a", length), HasText: true})
			got, err := typ.Fns["convert_for_inference"].Call(t.Context(), nil, graph.Inputs{"tracker": conversation})
			if err != nil {
				t.Fatal(err)
			}
			if n := len(got.([]*nlu.Message)); n != want {
				t.Errorf("%d characters give %d messages, want %d", length, n, want)
			}
		}
		return
	}
	t.Fatal("there is no such component")
}
