package app

import (
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/storygraph"
)

// The recordings were made by rasa visualize of Rasa 3.6.21. What users say is an
// example picked at random there, so it is not compared.
func TestStoryGraphsAreRasas(t *testing.T) {
	data, err := os.ReadFile("testdata/story_graphs.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string]struct {
		Nodes int      `json:"nodes"`
		Edges int      `json:"edges"`
		Links []string `json:"links"`
	}
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for bot, want := range recorded {
		t.Run(bot, func(t *testing.T) {
			dir := sharedtest.Dir(t, "data", "bots", bot)
			var problems diag.List
			o := VisualizeOptions{Domain: filepath.Join(dir, "domain.yml"), Stories: []string{filepath.Join(dir, "data")}, MaxHistory: 2}
			p, err := readPaths(t.Context(), o, &problems)
			if err != nil {
				t.Fatal(err)
			}
			g, err := p.graph(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.Links, links(g)); diff != "" {
				t.Error(diff)
			}
			if len(g.Nodes) != want.Nodes || len(g.Edges) != want.Edges {
				t.Errorf("%d nodes and %d edges, want %d and %d", len(g.Nodes), len(g.Edges), want.Nodes, want.Edges)
			}
		})
	}
}

// links describes the edges between actions.
func links(g *storygraph.Graph) []string {
	var out []string
	for _, e := range g.Edges {
		from, to := g.Nodes[e.From], g.Nodes[e.To]
		switch {
		case from.Kind == storygraph.User:
		case to.Kind == storygraph.User:
			for _, next := range g.Edges {
				if next.From == e.To {
					out = append(out, from.Label+" > message > "+g.Nodes[next.To].Label)
				}
			}
		default:
			out = append(out, from.Label+" > "+to.Label)
		}
	}
	slices.Sort(out)
	return out
}

func TestVisualizeWritesAPage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	o := VisualizeOptions{
		Domain: write("domain.yml", "intents: [greet]\nresponses:\n  utter_hi: [{text: hi}]\n"),
		Stories: []string{write("stories.yml", "stories:\n- story: s\n  steps: [{intent: greet}, {action: utter_hi}]\n"+
			"- story: \"</svg><script>alert(1)</script>\"\n  steps: [{intent: greet}, {action: \"<img src=x>\"}]\n")},
		NLU:        write("nlu.yml", "nlu:\n- intent: greet\n  examples: |\n    - hello [you](name) & co\n"),
		Out:        filepath.Join(dir, "graph.html"),
		MaxHistory: 2, Logger: slog.New(slog.DiscardHandler),
	}
	result, err := Visualize(t.Context(), o)
	if err != nil || result.Nodes != 6 || result.Edges != 6 {
		t.Fatal(result, err)
	}
	page, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]int{"“hello you &amp; co”</text>": 2, `class="node action"`: 2, `class="edge"`: 6, "<script": 0, "<img": 0} {
		if n := strings.Count(string(page), text); n != want {
			t.Errorf("%q is there %d times, want %d", text, n, want)
		}
	}

	o.Stories = []string{filepath.Join(dir, "none")}
	if _, err := Visualize(t.Context(), o); err == nil || !strings.Contains(err.Error(), "missing-file") {
		t.Errorf("got %v for stories that are not there", err)
	}
}
