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
