package graph_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

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

func TestDecodeTellsOfEverySettingInTheWordsOfYAML(t *testing.T) {
	var into struct {
		Names [][]string `json:"names"`
		Seed  *uint64    `json:"seed"`
		Tol   float64    `json:"tol"`
		Steps int        `json:"steps"`
		On    bool       `json:"on"`
		Fine  string     `json:"fine"`
	}
	err := graph.Config{
		"names": []any{"low"}, "seed": int64(-3), "tol": math.Inf(-1), "steps": 1.5, "on": map[string]any{}, "fine": "yes",
	}.Decode(&into)
	var got []string
	for _, err := range graph.Unjoin(err) {
		got = append(got, err.Error())
	}
	want := []string{
		"names: text stands where a list belongs",
		"on: a mapping stands where true or false belongs",
		"seed: -3 stands where a whole number that is not negative belongs",
		"steps: 1.5 stands where a whole number belongs",
		"tol: -.inf is no number to reckon with",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
