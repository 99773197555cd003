// Package storygraph draws the stories and rules of a project as one graph: what
// the assistant does, what users say in between, and where paths meet.
package storygraph

import (
	"context"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Kind is what a node stands for.
type Kind string

// The kinds; they are also the classes of nodes on the page.
const (
	Start  Kind = "start"
	End    Kind = "end"
	Action Kind = "action"
	User   Kind = "user"
)

// Node is one thing that happens.
type Node struct {
	Kind  Kind
	Label string // name of the action or the intent; or a text that has none
	// Example is what users say to express the intent; "" if nothing is known.
	Example string
}

// Edge leads from one node to the next, by their indexes.
type Edge struct{ From, To int }

// Graph is what is drawn. The first two nodes are the start and the end of all
// conversations.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// Build makes a graph of training conversations, in their order. Two paths share
// nodes where the last maxHistory actions can't tell them apart (see merge.go).
// Examples of what users say come from the NLU data, which may be nil.
// It ends with ctx.
func Build(ctx context.Context, trackers []*dialogue.TrainingTracker, maxHistory int, examples *nludata.TrainingData) (*Graph, error) {
	d := newDraft()
	for _, t := range trackers {
		d.add(t.Events())
	}
	if err := d.merge(ctx, maxHistory); err != nil {
		return nil, err
	}
	return d.graph(firstExamples(examples)), nil
}

// message is what leads from one action to the next; the zero message is none.
type message struct {
	intent string
	text   string // of messages without an intent
}

// draft is a graph whose users' messages are still on its links. Nodes 0 and 1
// are start and end.
type draft struct {
	labels []string
	gone   []bool // merged into another
	out    []links
	in     []links
	texts  map[message]string // what was said, where stories tell
}

func newDraft() *draft {
	d := &draft{texts: map[message]string{}}
	d.node("START")
	d.node("END")
	return d
}

const startNode, endNode = 0, 1

func (d *draft) node(label string) int {
	d.labels = append(d.labels, label)
	d.gone = append(d.gone, false)
	d.out = append(d.out, links{})
	d.in = append(d.in, links{})
	return len(d.labels) - 1
}

// link adds a link unless it is there.
func (d *draft) link(l link) {
	if d.out[l.from].has(l) {
		return
	}
	d.out[l.from].add(l, outEnd(l))
	d.in[l.to].add(l, inEnd(l))
}

// unlink removes a link if it is there.
func (d *draft) unlink(l link) {
	if !d.out[l.from].has(l) {
		return // a loop has gone already
	}
	d.out[l.from].remove(l, outEnd(l))
	d.in[l.to].remove(l, inEnd(l))
}

// add appends the path of one conversation, with nodes of its own.
func (d *draft) add(events []tracker.Event) {
	at, said := startNode, message{}
	for _, e := range events {
		switch e := e.(type) {
		case *tracker.UserUttered:
			said = message{intent: e.Intent}
			if e.Intent == "" {
				said.text = e.Text
			} else if e.HasText && d.texts[said] == "" {
				d.texts[said] = e.Text
			}
		case *tracker.ActionExecuted:
			label := e.Name
			switch label {
			case tracker.ListenAction:
				continue
			case "":
				label = e.ActionText
			}
			next := d.node(label)
			d.link(link{at, next, said})
			at, said = next, message{}
		}
	}
	d.link(link{at, endNode, said})
}

// graph turns the messages on links into nodes of their own.
func (d *draft) graph(examples map[string]string) *Graph {
	g := &Graph{}
	number := make([]int, len(d.labels))
	for i, label := range d.labels {
		if d.gone[i] {
			continue
		}
		number[i] = len(g.Nodes)
		g.Nodes = append(g.Nodes, Node{Kind: kindOf(i), Label: label})
	}
	for i := range d.labels {
		for l := range d.out[i].all {
			from, to := number[l.from], number[l.to]
			if l.message == (message{}) {
				g.Edges = append(g.Edges, Edge{from, to})
				continue
			}
			said := len(g.Nodes)
			g.Nodes = append(g.Nodes, d.user(l.message, examples))
			g.Edges = append(g.Edges, Edge{from, said}, Edge{said, to})
		}
	}
	return g
}

func kindOf(i int) Kind {
	switch i {
	case startNode:
		return Start
	case endNode:
		return End
	}
	return Action
}

func (d *draft) user(m message, examples map[string]string) Node {
	if m.intent == "" {
		return Node{Kind: User, Label: m.text}
	}
	example := examples[m.intent]
	if example == "" {
		example = d.texts[m]
	}
	return Node{Kind: User, Label: m.intent, Example: example}
}

// firstExamples gives an example for each intent: the first in the files.
func firstExamples(data *nludata.TrainingData) map[string]string {
	first := map[string]string{}
	if data == nil {
		return first
	}
	for _, e := range data.Examples {
		if first[e.Intent] == "" {
			first[e.Intent] = e.Text
		}
	}
	return first
}
