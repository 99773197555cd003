package project

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// responses unites the responses of NLU files; a later file wins.
func (f *files) responses(data []*file) *yamlfile.Node {
	var all *yamlfile.Node
	for _, file := range data {
		r := file.root.Get("responses")
		if file.NLU && r != nil && r.Kind == yamlfile.Map && len(r.Pairs) > 0 {
			all = domain.Override(all, mapOf("responses", r))
		}
	}
	return all.Get("responses")
}

// retrieval is what NLU data adds to a domain: its responses, the bases of
// retrieval intents, and an action for each that selects a response. Rasa 3.6
// lets them win over what the domain says.
func retrieval(responses *yamlfile.Node, own *domain.Domain, data *nludata.TrainingData) *yamlfile.Node {
	bases := map[string]diag.Position{} // where the first example is
	for _, e := range data.Examples {
		if _, known := bases[e.Intent]; !known && e.IntentResponseKey != "" && e.Intent != "" {
			bases[e.Intent] = e.Pos
		}
	}
	out := &yamlfile.Node{Kind: yamlfile.Map}
	if len(bases) > 0 {
		intents, actions := &yamlfile.Node{Kind: yamlfile.List}, &yamlfile.Node{Kind: yamlfile.List}
		for _, name := range slices.Sorted(maps.Keys(bases)) {
			intents.Items = append(intents.Items, retrievalIntent(name, bases[name], own))
			actions.Items = append(actions.Items, yamlfile.NewString("utter_"+name))
		}
		out.Pairs = append(out.Pairs, pairOf("intents", intents), pairOf("actions", actions))
	}
	if responses != nil {
		out.Pairs = append(out.Pairs, pairOf("responses", responses))
	}
	if len(out.Pairs) == 0 {
		return nil
	}
	return out
}

// retrievalIntent marks an intent as the base of retrieval intents and keeps what
// the domain says about it. pos is where NLU data has it.
func retrievalIntent(name string, pos diag.Position, own *domain.Domain) *yamlfile.Node {
	body := &yamlfile.Node{Kind: yamlfile.Map, Pos: pos}
	if declared := own.Intent(name); declared != nil {
		body.Pos = declared.Pos
		if use := declared.UseEntities; use != nil || declared.UseNone {
			body.Pairs = append(body.Pairs, pairOf("use_entities", textList(use)))
		}
		if ignore := declared.IgnoreEntities; ignore != nil {
			body.Pairs = append(body.Pairs, pairOf("ignore_entities", textList(ignore)))
		}
	}
	body.Pairs = append(body.Pairs, pairOf("is_retrieval_intent", &yamlfile.Node{Kind: yamlfile.Bool, Text: "true", Flag: true}))
	item := mapOf(name, body)
	item.Pos = body.Pos
	return item
}

// shareResponses gives NLU data the retrieval responses of the domain, and labels
// examples anew. Those of NLU files win.
func (p *Project) shareResponses(own *yamlfile.Node) {
	for name := range p.OwnDomain.Responses {
		if !strings.Contains(name, "/") || p.NLU.Responses[name] != nil {
			continue
		}
		for _, n := range own.Get(name).Items {
			text, ok := n.Get("text").Str()
			p.NLU.Responses[name] = append(p.NLU.Responses[name], nludata.Response{Text: text, HasText: ok, Node: n, Pos: n.Pos})
		}
	}
	p.NLU.LabelResponses()
}

// botTexts is a domain with the bot texts of stories as actions, or nil.
func botTexts(g *story.Graph) *yamlfile.Node {
	list := &yamlfile.Node{Kind: yamlfile.List}
	seen := map[string]bool{}
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			if a, ok := e.Event.(*tracker.ActionExecuted); ok && a.ActionText != "" && !seen[a.ActionText] {
				seen[a.ActionText] = true
				list.Items = append(list.Items, yamlfile.NewString(a.ActionText))
			}
		}
	}
	if len(list.Items) == 0 {
		return nil
	}
	slices.SortFunc(list.Items, func(a, b *yamlfile.Node) int { return strings.Compare(a.Text, b.Text) })
	return mapOf("e2e_actions", list)
}

// Turn is one thing that a story says or does: a user turn with an intent or a
// text, or an action with a name or a text.
type Turn struct {
	Intent, Text           string
	Entities               string // the names of a user turn's entities
	ActionName, ActionText string
}

// Turns lists what the stories say and do, and the default actions, each once.
// Rasa 3.6 hands them to featurizers beside the examples of NLU data, so that
// end-to-end policies know their words.
func (p *Project) Turns() []Turn {
	var out []Turn
	seen := map[Turn]bool{}
	add := func(t Turn) {
		if !seen[t] {
			seen[t] = true
			out = append(out, t)
		}
	}
	for _, name := range domain.DefaultActions {
		add(Turn{ActionName: name})
	}
	for _, b := range p.Stories.Blocks {
		for _, e := range b.Events {
			switch e := e.Event.(type) {
			case *tracker.ActionExecuted:
				add(Turn{ActionName: e.Name, ActionText: e.ActionText})
			case *tracker.UserUttered:
				add(Turn{Intent: e.Intent, Text: e.Text, Entities: entityNames(e.Entities)})
			}
		}
	}
	return out
}

func entityNames(entities []tracker.Entity) string {
	var names []string
	for _, e := range entities {
		names = append(names, fmt.Sprint(e["entity"], e["role"], e["group"]))
	}
	return strings.Join(names, ", ")
}

func mapOf(key string, value *yamlfile.Node) *yamlfile.Node {
	return &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{pairOf(key, value)}}
}

func pairOf(key string, value *yamlfile.Node) yamlfile.Pair {
	return yamlfile.Pair{Key: yamlfile.NewString(key), Value: value}
}

func textList(texts []string) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.List}
	for _, s := range texts {
		out.Items = append(out.Items, yamlfile.NewString(s))
	}
	return out
}
