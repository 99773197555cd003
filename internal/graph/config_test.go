package graph_test

import (
	"encoding/json"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
)

// max_df: 1.0 means all documents and max_df: 1 means one of them.
func TestDecodeKeepsDecimalPoints(t *testing.T) {
	var got struct{ Share, Count json.Number }
	if err := (graph.Config{"share": 1.0, "count": int64(1)}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Share != "1.0" || got.Count != "1" {
		t.Errorf("got %v", got)
	}
}

// Decoding a configuration writes into lists; those of the defaults are nobody's.
func TestComponentsDoNotShareTheListsOfDefaults(t *testing.T) {
	type config struct {
		List []string `json:"list"`
	}
	typ := graph.Define(graph.Type{Name: "X"}, config{List: []string{"a"}}, func(_ graph.Env, c config, _ graph.Resource) (any, error) { return c, nil })
	for _, step := range []struct {
		set  graph.Config
		want string
	}{{graph.Config{"list": []any{"b"}}, "b"}, {graph.Config{}, "a"}} {
		c, err := typ.Build(graph.Env{}, step.set, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.(config).List[0]; got != step.want {
			t.Errorf("%v gives %q, want %q", step.set, got, step.want)
		}
	}
}
