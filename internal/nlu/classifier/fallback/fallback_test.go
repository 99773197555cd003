package fallback_test

import (
	"context"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/fallback"
)

func TestFallback(t *testing.T) {
	c, err := fallback.Type().Build(graph.Env{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name          string
		first, second float64
		want          string
	}{
		{"sure", 0.9, 0.05, "a"},
		{"too uncertain", 0.29, 0.1, fallback.IntentName},
		{"just sure enough", 0.3, 0.1, "a"},
		{"ambiguous", 0.55, 0.45000001, fallback.IntentName},
		{"0.6-0.5 is less than 0.1 in double precision", 0.6, 0.5, fallback.IntentName},
		{"0.4-0.3 is not", 0.4, 0.3, "a"},
	} {
		m := &nlu.Message{
			Intent:  &nlu.Intent{Name: "a", Confidence: x.first},
			Ranking: []nlu.Intent{{Name: "a", Confidence: x.first}, {Name: "b", Confidence: x.second}},
		}
		if err := c.(nlu.Processor).Process(context.Background(), []*nlu.Message{m}); err != nil {
			t.Fatal(err)
		}
		if m.Intent.Name != x.want {
			t.Errorf("%s: got %s", x.name, m.Intent.Name)
		}
		if x.want == fallback.IntentName && (m.Intent.Confidence != 0.3 || len(m.Ranking) != 3) {
			t.Errorf("%s: got %v, ranking %v", x.name, m.Intent, m.Ranking)
		}
		if got := fallback.Undo(m).Name; got != "a" {
			t.Errorf("%s: undone it is %s", x.name, got)
		}
	}
	if err := c.(nlu.Processor).Process(context.Background(), []*nlu.Message{{}}); err == nil {
		t.Error("a message without intent was accepted")
	}
}
