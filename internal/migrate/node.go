package migrate

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// pairs are those of a map, or none.
func pairs(n *yamlfile.Node) []yamlfile.Pair {
	if n == nil {
		return nil
	}
	return n.Pairs
}

// mapOf makes a map of a key, its value, and so on.
func mapOf(keysAndValues ...any) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map}
	for i := 0; i < len(keysAndValues); i += 2 {
		out.Pairs = append(out.Pairs, yamlfile.Pair{Key: yamlfile.NewString(keysAndValues[i].(string)), Value: keysAndValues[i+1].(*yamlfile.Node)})
	}
	return out
}

func listOf(items []*yamlfile.Node) *yamlfile.Node {
	return &yamlfile.Node{Kind: yamlfile.List, Items: items}
}

// without is a map that lacks a key.
func without(n *yamlfile.Node, key string) *yamlfile.Node {
	if !n.Has(key) {
		return n
	}
	out := *n
	out.Pairs = slices.DeleteFunc(slices.Clone(n.Pairs), func(p yamlfile.Pair) bool { return p.Key.Text == key })
	return &out
}

// asked are the types of mappings that count for the slot that is asked for alone.
// An entity fills its slot at any time while the form is active.
func asked(mapping *yamlfile.Node) bool {
	switch mapping.Get("type").TextOrEmpty() {
	case "from_entity", "from_trigger_intent":
		return false
	}
	return true
}

// withCondition is a mapping that counts besides while a form is active.
func withCondition(mapping *yamlfile.Node, form, slot string) *yamlfile.Node {
	condition := mapOf("active_loop", yamlfile.NewString(form))
	if asked(mapping) {
		condition.Pairs = append(condition.Pairs, mapOf("requested_slot", yamlfile.NewString(slot)).Pairs...)
	}
	var conditions []*yamlfile.Node
	if earlier := mapping.Get("conditions"); earlier != nil {
		conditions = slices.Clone(earlier.Items)
	}
	out := *without(mapping, "conditions")
	out.Pairs = append(slices.Clone(out.Pairs), mapOf("conditions", listOf(append(conditions, condition))).Pairs...)
	return &out
}

// equal compares values. The order of keys means nothing.
func equal(a, b *yamlfile.Node) bool {
	if a.IsNull() || b.IsNull() || a.Kind != b.Kind {
		return a.IsNull() && b.IsNull()
	}
	switch a.Kind {
	case yamlfile.List:
		return slices.EqualFunc(a.Items, b.Items, equal)
	case yamlfile.Map:
		return len(a.Pairs) == len(b.Pairs) && !slices.ContainsFunc(a.Pairs, func(p yamlfile.Pair) bool {
			return !b.Has(p.Key.Text) || !equal(p.Value, b.Get(p.Key.Text))
		})
	case yamlfile.Bool:
		return a.Flag == b.Flag
	case yamlfile.Int, yamlfile.Float:
		return a.Float() == b.Float()
	}
	return a.Text == b.Text
}
