package evaluate

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The expectations were made by Rasa 3.6.21.
func TestModelsAreComparedAsInRasa(t *testing.T) {
	trained := []ModelComparison{
		{"cmp/run_1/c1__percentage__0.tar.gz", 8, 8}, {"cmp/run_1/c1__percentage__50.tar.gz", 2, 8},
		{"cmp/run_1/c2__percentage__0.tar.gz", 8, 8}, {"cmp/run_1/c2__percentage__50.tar.gz", 3, 8},
		{"cmp/run_2/c1__percentage__0.tar.gz", 8, 8}, {"cmp/run_2/c1__percentage__50.tar.gz", 2, 8},
		{"cmp/run_2/c2__percentage__0.tar.gz", 8, 8}, {"cmp/run_2/c2__percentage__50.tar.gz", 2, 8},
	}
	for _, c := range []struct {
		models []ModelComparison
		want   string
	}{
		{trained, `{"c1": [[8, 2], [8, 2]], "c2": [[8, 3], [8, 2]]}`},
		{[]ModelComparison{{"a/one.tar.gz", 13, 24}, {"two.tar.gz", 4, 24}}, `{"one.tar.gz": [13], "two.tar.gz": [4]}`},
		{append(trained[:3:3], ModelComparison{"two.tar.gz", 4, 8}), `{"c1__percentage__0.tar.gz": [8], "c1__percentage__50.tar.gz": [2], "c2__percentage__0.tar.gz": [8], "two.tar.gz": [4]}`},
		{[]ModelComparison{ // a run has fewer percentages
			{"run_1/c__percentage__0.tar.gz", 8, 8}, {"run_1/c__percentage__50.tar.gz", 2, 8}, {"run_2/c__percentage__0.tar.gz", 7, 8},
		}, `{"c__percentage__0.tar.gz": [7], "c__percentage__50.tar.gz": [2]}`},
	} {
		data, err := ModelResultsJSON(c.models)
		if err != nil {
			t.Fatal(err)
		}
		var got, want any
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
