package domain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Keys are the top-level keys that make a file a domain file.
var Keys = []string{"slots", "forms", "actions", "entities", "intents", "responses", "e2e_actions", "session_config"}

// Merge unites parsed domain files, in the order in which they are read. Of two
// declarations of one name the first wins, and the second is reported; names of
// later files come first in the result, as in Rasa 3.6. Keys that are no domain
// keys count in the first file only.
func Merge(files []*yamlfile.Node, problems *diag.List) *yamlfile.Node {
	var merged *yamlfile.Node
	for _, f := range files {
		switch {
		case f == nil || f.Kind != yamlfile.Map:
		case merged == nil:
			merged = f
		default:
			merged = merger{problems}.merge(merged, f)
		}
	}
	return merged
}

// Override unites two parsed domains, of which the second wins silently.
func Override(first, second *yamlfile.Node) *yamlfile.Node {
	switch {
	case first == nil:
		return second
	case second == nil:
		return first
	}
	return merger{}.merge(second, first)
}

// merger unites two domains. Without a list of problems it stays silent.
type merger struct{ problems *diag.List }

// merge gives a domain with everything of first, and what only next has.
func (m merger) merge(first, next *yamlfile.Node) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map, Pos: first.Pos}
	for _, p := range first.Pairs {
		if other := next.Get(p.Key.Text); other != nil {
			out.Pairs = append(out.Pairs, yamlfile.Pair{Key: p.Key, Value: m.values(p.Key.Text, p.Value, other)})
		} else {
			out.Pairs = append(out.Pairs, p)
		}
	}
	for _, p := range next.Pairs {
		if !first.Has(p.Key.Text) && (slices.Contains(Keys, p.Key.Text) || p.Key.Text == "config") {
			out.Pairs = append(out.Pairs, p)
		}
	}
	m.dropActionsThatAreForms(out, first, next)
	return out
}

// values unites what stands under one key.
func (m merger) values(key string, first, next *yamlfile.Node) *yamlfile.Node {
	switch {
	case first.IsNull():
		return next
	case next.IsNull():
		return first
	}
	switch key {
	case "intents", "entities", "actions":
		return m.lists(singular(key), first, next)
	case "slots", "forms", "responses":
		return m.maps(singular(key), first, next)
	case "e2e_actions":
		return texts(first, next)
	case "session_config":
		if isDefaultSession(first) {
			return next
		}
	}
	return first
}

func singular(key string) string {
	if key == "entities" {
		return "entity"
	}
	return strings.TrimSuffix(key, "s")
}

// lists unites two lists of names, each maybe a map of one name to its settings.
func (m merger) lists(kind string, first, next *yamlfile.Node) *yamlfile.Node {
	if first.Kind != yamlfile.List || next.Kind != yamlfile.List {
		return first
	}
	known := make(map[string]*yamlfile.Node, len(first.Items))
	for _, n := range first.Items {
		known[itemName(n)] = n
	}
	out := &yamlfile.Node{Kind: yamlfile.List, Pos: first.Pos}
	placed := make(map[string]bool, len(next.Items))
	for _, n := range next.Items {
		name := itemName(n)
		if earlier := known[name]; earlier != nil {
			m.duplicate(kind, name, n.Pos, earlier.Pos)
			n = earlier
		}
		if !placed[name] {
			placed[name] = true
			out.Items = append(out.Items, n)
		}
	}
	for _, n := range first.Items {
		if name := itemName(n); !placed[name] {
			placed[name] = true
			out.Items = append(out.Items, n)
		}
	}
	return out
}

func (m merger) maps(kind string, first, next *yamlfile.Node) *yamlfile.Node {
	if first.Kind != yamlfile.Map || next.Kind != yamlfile.Map {
		return first
	}
	known := make(map[string]*yamlfile.Pair, len(first.Pairs))
	for i := range first.Pairs {
		known[first.Pairs[i].Key.Text] = &first.Pairs[i]
	}
	out := &yamlfile.Node{Kind: yamlfile.Map, Pos: first.Pos}
	for _, p := range next.Pairs {
		if earlier := known[p.Key.Text]; earlier != nil {
			m.duplicate(kind, p.Key.Text, p.Key.Pos, earlier.Key.Pos)
			p = *earlier
			delete(known, p.Key.Text)
		}
		out.Pairs = append(out.Pairs, p)
	}
	for _, p := range first.Pairs {
		if known[p.Key.Text] != nil {
			out.Pairs = append(out.Pairs, p)
		}
	}
	return out
}

func (m merger) duplicate(kind, name string, pos, earlier diag.Position) {
	if m.problems == nil || pos == earlier {
		return
	}
	m.problems.Warnf(pos, "duplicate-"+diag.Code(kind), "the one at "+earlier.String()+" counts; remove the other",
		"%s %q is declared in several domain files", kind, name)
}

// texts is the sorted union of two lists of texts.
func texts(first, next *yamlfile.Node) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.List, Pos: first.Pos}
	out.Items = append(append(out.Items, first.Items...), next.Items...)
	slices.SortStableFunc(out.Items, func(a, b *yamlfile.Node) int { return cmp.Compare(a.Text, b.Text) })
	out.Items = slices.CompactFunc(out.Items, func(a, b *yamlfile.Node) bool { return a.Text == b.Text })
	return out
}

// isDefaultSession reports whether a session_config says just what Rasa says
// when there is none.
func isDefaultSession(n *yamlfile.Node) bool {
	minutes, carry := n.Get("session_expiration_time"), n.Get("carry_over_slots_to_new_session")
	return len(n.Keys()) == 2 && minutes != nil && minutes.Float() == defaultExpiration && carry != nil && carry.Kind == yamlfile.Bool && carry.Flag
}

// dropActionsThatAreForms removes an action of one file that is a form in the
// other.
func (m merger) dropActionsThatAreForms(out, first, next *yamlfile.Node) {
	actions := out.Get("actions")
	if actions == nil || actions.Kind != yamlfile.List {
		return
	}
	elsewhere := func(n *yamlfile.Node) bool {
		name := itemName(n)
		return first.Get("forms").Has(name) && !inList(first.Get("actions"), n) ||
			next.Get("forms").Has(name) && !inList(next.Get("actions"), n)
	}
	kept := slices.DeleteFunc(slices.Clone(actions.Items), elsewhere)
	if len(kept) == len(actions.Items) {
		return
	}
	for i, p := range out.Pairs {
		if p.Key.Text == "actions" {
			out.Pairs[i].Value = &yamlfile.Node{Kind: yamlfile.List, Pos: actions.Pos, Items: kept}
		}
	}
}

func inList(list, item *yamlfile.Node) bool {
	return list != nil && slices.Contains(list.Items, item)
}

// itemName is the name in a list item such as "greet" or {greet: {…}}.
func itemName(n *yamlfile.Node) string {
	if n.Kind == yamlfile.Map && len(n.Pairs) > 0 {
		return n.Pairs[0].Key.Text
	}
	return n.Text
}
