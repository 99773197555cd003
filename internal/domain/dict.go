package domain

import (
	"cmp"
	"slices"

	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// AsDict is the domain as Rasa writes it back: what the files say, merged, with
// sorted intents, without empty sections, and with version and session_config.
// Its JSON is what GET /domain and action servers get, and Read takes it again.
// The node belongs to the domain.
func (d *Domain) AsDict() *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map}
	if d.document != nil {
		for _, p := range d.document.Pairs {
			if isEmpty(p.Value) {
				continue
			}
			if p.Key.Text == "intents" {
				p.Value = intentsAsDict(p.Value)
			}
			out.Pairs = append(out.Pairs, p)
		}
	}
	if !out.Has("session_config") {
		out.Pairs = append(out.Pairs, pair("session_config", &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{
			pair("session_expiration_time", yamlfile.NewInt(defaultExpiration)),
			pair("carry_over_slots_to_new_session", &yamlfile.Node{Kind: yamlfile.Bool, Text: "true", Flag: true}),
		}}))
	}
	if !out.Has("version") {
		out.Pairs = append(out.Pairs, pair("version", yamlfile.NewString(yamlfile.FormatVersion)))
	}
	return out
}

// intentsAsDict sorts intents and writes "uses no entities" in one way.
func intentsAsDict(n *yamlfile.Node) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.List, Pos: n.Pos, Items: slices.Clone(n.Items)}
	for i, item := range out.Items {
		if item.Kind != yamlfile.Map || len(item.Pairs) == 0 {
			continue
		}
		name, body := item.Pairs[0].Key, item.Pairs[0].Value
		use := body.Get("use_entities")
		if use == nil || !use.IsNull() && (use.Kind != yamlfile.Bool || use.Flag) {
			continue
		}
		none := &yamlfile.Node{Kind: yamlfile.Map, Pos: body.Pos, Pairs: slices.Clone(body.Pairs)}
		for j, p := range none.Pairs {
			if p.Key.Text == "use_entities" {
				none.Pairs[j].Value = &yamlfile.Node{Kind: yamlfile.List, Pos: use.Pos}
			}
		}
		out.Items[i] = &yamlfile.Node{Kind: yamlfile.Map, Pos: item.Pos, Pairs: []yamlfile.Pair{{Key: name, Value: none}}}
	}
	slices.SortStableFunc(out.Items, func(a, b *yamlfile.Node) int { return cmp.Compare(itemName(a), itemName(b)) })
	return out
}

// MarshalJSON writes AsDict.
func (d *Domain) MarshalJSON() ([]byte, error) { return d.AsDict().MarshalJSON() }

func isEmpty(n *yamlfile.Node) bool {
	return n.IsNull() || n.Kind == yamlfile.List && len(n.Items) == 0 || n.Kind == yamlfile.Map && len(n.Pairs) == 0
}

func pair(key string, value *yamlfile.Node) yamlfile.Pair {
	return yamlfile.Pair{Key: yamlfile.NewString(key), Value: value}
}
