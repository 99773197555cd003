package storygraph

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// stories makes conversations of words: those with an i are intents, those with an
// a are actions.
func stories(texts ...string) []*dialogue.TrainingTracker {
	var out []*dialogue.TrainingTracker
	for _, text := range texts {
		t := tracker.New("test", nil)
		for _, word := range strings.Fields(text) {
			if strings.HasPrefix(word, "i") {
				t.Update(&tracker.ActionExecuted{Name: tracker.ListenAction})
				t.Update(&tracker.UserUttered{Intent: word})
			} else {
				t.Update(&tracker.ActionExecuted{Name: word})
			}
		}
		t.Update(&tracker.ActionExecuted{Name: tracker.ListenAction})
		out = append(out, &dialogue.TrainingTracker{Tracker: t})
	}
	return out
}

func build(t testing.TB, trackers []*dialogue.TrainingTracker, maxHistory int, examples *nludata.TrainingData) *Graph {
	t.Helper()
	g, err := Build(t.Context(), trackers, maxHistory, examples)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// placed is a graph with all coordinates.
func placed(t *testing.T, g *Graph) (l *layered, width, height float64) {
	t.Helper()
	l, err := newLayered(t.Context(), g, size)
	if err == nil {
		err = l.order(t.Context())
	}
	if err == nil {
		width, height, err = l.place(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return l, width, height
}

// lines describes a draft as the recordings do.
func (d *draft) lines() []string {
	number := func(i int) int {
		if i == endNode {
			return -1
		}
		return max(0, i-1)
	}
	var out []string
	for i := range d.labels {
		for l := range d.out[i].all {
			via := " > "
			if l.message.intent != "" {
				via = " > " + l.message.intent + " > "
			}
			out = append(out, fmt.Sprintf("%d %s%s%d %s", number(l.from), d.labels[l.from], via, number(l.to), d.labels[l.to]))
		}
	}
	slices.Sort(out)
	return out
}

// lost are edges that Rasa loses when it merges nodes, by recording.
var lost = map[string]string{"r07": "2 a2 > i2 > 2 a2"}

// The recordings were made by rasa visualize of Rasa 3.6.21.
func TestPathsMeetAsInRasa(t *testing.T) {
	data, err := os.ReadFile("testdata/rasa.json")
	if err != nil {
		t.Fatal(err)
	}
	var recordings []struct {
		Name       string   `json:"name"`
		MaxHistory int      `json:"max_history"`
		Stories    []string `json:"stories"`
		Edges      []string `json:"edges"`
	}
	if err := json.Unmarshal(data, &recordings); err != nil {
		t.Fatal(err)
	}
	for _, r := range recordings {
		d := newDraft()
		for _, s := range stories(r.Stories...) {
			d.add(s.Events())
		}
		if err := d.merge(t.Context(), r.MaxHistory); err != nil {
			t.Fatal(err)
		}
		want := r.Edges
		if edge, ok := lost[r.Name]; ok {
			want = append(want, edge)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, d.lines()); diff != "" {
			t.Errorf("%s, %d: %q: %s", r.Name, r.MaxHistory, r.Stories, diff)
		}
	}
	if len(recordings) < 100 {
		t.Errorf("only %d recordings", len(recordings))
	}
}

func TestMessagesAreNodes(t *testing.T) {
	g := build(t, stories("i0 a0 i1", "a1"), 2, &nludata.TrainingData{Examples: []nludata.Example{{Intent: "i0", Text: "hello"}, {Intent: "i0", Text: "hi"}}})
	want := &Graph{
		Nodes: []Node{
			{Start, "START", ""}, {End, "END", ""}, {Action, "a0", ""}, {Action, "a1", ""},
			{User, "i0", "hello"}, {User, "i1", ""},
		},
		Edges: []Edge{{0, 4}, {4, 2}, {0, 3}, {2, 5}, {5, 1}, {3, 1}},
	}
	if diff := cmp.Diff(want, g); diff != "" {
		t.Error(diff)
	}
}

func TestEndToEndStoriesShowTheirTexts(t *testing.T) {
	c := tracker.New("test", nil)
	c.Update(&tracker.UserUttered{Text: "hello there", HasText: true})
	c.Update(&tracker.ActionExecuted{ActionText: "hi you"})
	g := build(t, []*dialogue.TrainingTracker{{Tracker: c}}, 2, nil)
	if g.Nodes[2].Label != "hi you" || g.Nodes[3].Label != "hello there" {
		t.Errorf("got %+v", g.Nodes)
	}
}

// big is a graph with circles, long ways and several edges between two nodes.
func big(t testing.TB) *Graph {
	var texts []string
	for i := range 60 {
		text := ""
		for j := range 1 + i%9 {
			text += fmt.Sprintf(" i%d a%d", (i*7+j*3)%5, (i*5+j)%11)
		}
		texts = append(texts, text)
	}
	return build(t, stories(texts...), 2, nil)
}

func TestBoxesStandApartAndEdgesLeadRight(t *testing.T) {
	t.Run("few stories", func(t *testing.T) { checkPlaces(t, big(t)) })
	t.Run("many stories", func(t *testing.T) {
		l := checkPlaces(t, build(t, atRandom(1, 800, 6, 200, 60), 2, nil))
		if n := len(l.columns); n > 60 {
			t.Errorf("%d columns", n)
		}
	})
}

func checkPlaces(t *testing.T, g *Graph) *layered {
	t.Helper()
	l, width, height := placed(t, g)
	for _, column := range l.columns {
		for i, v := range column {
			if i > 0 && column[i-1].y+column[i-1].height/2 > v.y-v.height/2+0.01 {
				t.Errorf("column %d: vertex %d overlaps the one above", v.column, i)
			}
			if v.x-v.width/2 < 0 || v.x+v.width/2 > width || v.y-v.height/2 < 0 || v.y+v.height/2 > height {
				t.Errorf("a box of column %d is not on the page", v.column)
			}
		}
	}
	back := 0
	for i, e := range g.Edges {
		r := l.routes[i]
		if e.From == e.To {
			continue
		}
		if r.via[0] != l.vertices[e.From] || r.via[len(r.via)-1] != l.vertices[e.To] {
			t.Errorf("the way of edge %v leads elsewhere", e)
		}
		if r.back {
			back++
		}
		if from, to := l.vertices[e.From].column, l.vertices[e.To].column; from == to || r.back != (from > to) {
			t.Errorf("edge %v from column %d to %d, back: %v", e, from, to, r.back)
		}
	}
	if back == 0 {
		t.Error("the graph was to have circles")
	}
	return l
}

func TestOrderingUncrossesLines(t *testing.T) {
	l, err := newLayered(t.Context(), big(t), size)
	if err != nil {
		t.Fatal(err)
	}
	before := l.crossings()
	if err := l.order(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := l.crossings(); after*2 > before {
		t.Errorf("%d crossings of %d are left", after, before)
	}
}

func TestPageIsTheSameEachTime(t *testing.T) {
	var pages [2]bytes.Buffer
	for i := range pages {
		if err := WritePage(t.Context(), &pages[i], big(t), "bot"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(pages[0].Bytes(), pages[1].Bytes()) {
		t.Error("two pages of one graph differ")
	}
}

func TestHostileNamesStayText(t *testing.T) {
	c := tracker.New("test", nil)
	c.Update(&tracker.UserUttered{Intent: `"><script>alert(1)</script>`, Text: "x", HasText: true})
	c.Update(&tracker.ActionExecuted{Name: `</title></svg><img src=x onerror=alert(1)>`})
	c.Update(&tracker.UserUttered{Text: "\x00\u202egnp.exe " + strings.Repeat("語", 100), HasText: true})
	c.Update(&tracker.ActionExecuted{Name: "javascript:alert(1)"})
	var b bytes.Buffer
	if err := WritePage(t.Context(), &b, build(t, []*dialogue.TrainingTracker{{Tracker: c}}, 2, nil), "<b>bot</b>"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, bad := range []string{"<script", "<img", "<b>", "http:", "https:", "\x00", "\u202e"} {
		if strings.Contains(page, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	_, svg, _ := strings.Cut(page, "<svg")
	svg, _, _ = strings.Cut("<svg"+svg, "</main>")
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func TestNothingGivesAPageWithTheStart(t *testing.T) {
	g := build(t, nil, 2, nil)
	if err := WritePage(t.Context(), io.Discard, g, "empty"); err != nil || len(g.Edges) != 0 {
		t.Error(err, g)
	}
}

func TestManyFuturesEnd(t *testing.T) {
	var texts []string
	for i := range 12 {
		for j := range 12 {
			texts = append(texts, fmt.Sprintf("i0 a0 i%d a%d i%d a%d i1 a0", i, i, j, j))
		}
	}
	for _, history := range []int{-1, 1, 2, 5, 1000} {
		if g := build(t, stories(texts...), history, nil); len(g.Nodes) < 10 {
			t.Errorf("%d: got %d nodes", history, len(g.Nodes))
		}
	}
}

// Many ways to one node are one line near it, so that a page grows with its graph
// and not with the lengths of all ways.
func TestLinesThatMeetAreDrawnOnce(t *testing.T) {
	l, _, _ := placed(t, big(t))
	drawn := map[*vertex]bool{}
	joined, places := 0, 0
	for i := range l.routes {
		path, joins := l.path(i, drawn)
		if joins {
			joined++
		}
		places += strings.Count(path, "H")
	}
	dummies := 0
	for _, column := range l.columns {
		for _, v := range column {
			if v.node < 0 {
				dummies++
			}
		}
	}
	if joined == 0 || places > dummies+len(l.routes) {
		t.Errorf("%d lines join others, %d ways through %d places", joined, places, dummies)
	}
}
