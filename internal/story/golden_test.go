package story_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// step is a block in the recording of how Rasa 3.6.21 reads story files.
type step struct {
	Name       string         `json:"name"`
	Rule       bool           `json:"rule"`
	Start      []string       `json:"start"`
	End        []string       `json:"end"`
	Events     int            `json:"events"`
	EventTypes map[string]int `json:"event_types"`
}

func TestBlocksAreThoseOfTheRecording(t *testing.T) {
	recording := filepath.Join(sharedtest.Dir(t, "data", "golden", "project"), "stories.json")
	data, err := os.ReadFile(recording)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Error *struct{ Message string } `json:"error"`
		Steps []step                    `json:"steps"`
	}
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	bots := sharedtest.Dir(t, "data", "bots")
	for file, w := range want {
		if info, err := os.Stat(filepath.Join(bots, file)); err != nil || info.IsDir() {
			t.Errorf("%s: no such file", file)
			continue
		}
		var problems diag.List
		root := yamlfile.Read(filepath.Join(bots, file), file, &problems)
		reader := story.Reader{Problems: &problems}
		got := describe(reader.Read(root))
		if w.Error != nil {
			if !problems.HasErrors() {
				t.Errorf("%s: accepted, but Rasa says %s", file, w.Error.Message)
			}
			continue
		}
		if err := problems.Err(); err != nil {
			t.Errorf("%s: refused: %v", file, err)
		}
		if diff := cmp.Diff(w.Steps, got, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); diff != "" && len(w.Steps)+len(got) > 0 {
			t.Errorf("%s: (-want +got)\n%s", file, diff)
		}
	}
}

func describe(g *story.Graph) []step {
	var steps []step
	for _, b := range g.Blocks {
		s := step{Name: b.Name, Rule: b.Rule, Start: names(b.Start), End: names(b.End), Events: len(b.Events), EventTypes: map[string]int{}}
		for _, e := range b.Events {
			s.EventTypes[strings.TrimPrefix(reflect.TypeOf(e.Event).String(), "*tracker.")]++
		}
		steps = append(steps, s)
	}
	return steps
}

func names(checkpoints []story.Checkpoint) []string {
	out := []string{}
	for _, c := range checkpoints {
		name := c.Name
		if c.Generated() {
			name = "GENR_OR_*"
		}
		out = append(out, name)
	}
	return out
}
