package domain

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

const defaultExpiration = 60 // minutes

// Read interprets one domain: a file, or several after Merge. What is wrong goes
// to problems; the domain is complete in any case, with whatever could be read.
// A nil node gives the empty domain.
func Read(root *yamlfile.Node, problems *diag.List) *Domain {
	d := &Domain{
		Version:              yamlfile.FormatVersion,
		Responses:            map[string][]Response{},
		Session:              Session{ExpirationMinutes: defaultExpiration, CarryOverSlots: true},
		StoreEntitiesAsSlots: true,
		document:             root,
	}
	r := reader{domain: d, problems: problems}
	switch {
	case root == nil:
	case root.Kind != yamlfile.Map:
		r.fail(root.Pos, "invalid-domain", "a domain has the keys intents, entities, slots, responses, actions and forms",
			"the domain must be a map, not %s", root.Kind)
		d.document = nil
	case yamlfile.CheckVersion(root, problems):
		r.read(root)
	default:
		d.document = nil
	}
	d.addAutomaticSlots()
	d.Complete()
	return d
}

// reader reads the parts of a domain. Each part reports what is wrong and goes
// on with the next.
type reader struct {
	domain   *Domain
	problems *diag.List
}

func (r *reader) fail(pos diag.Position, code diag.Code, hint, format string, args ...any) {
	r.problems.Errorf(pos, code, hint, format, args...)
}

func (r *reader) read(root *yamlfile.Node) {
	if v := root.Get("version"); v != nil && v.Kind == yamlfile.String {
		r.domain.Version = v.Text
	}
	r.intents(root.Get("intents"))
	r.entities(root.Get("entities"))
	r.slots(root.Get("slots"))
	r.responses(root.Get("responses"))
	r.actions(root.Get("actions"))
	r.forms(root.Get("forms"))
	r.e2eActions(root.Get("e2e_actions"))
	r.session(root.Get("session_config"))
	r.config(root.Get("config"))
	r.unknownKeys(root)
	r.missingResponses()
}

// foreignKeys are those of the other files that a domain may share a file with.
var foreignKeys = []string{"version", "config", "nlu", "stories", "rules", "flows", "recipe", "language", "pipeline", "policies"}

func (r *reader) unknownKeys(root *yamlfile.Node) {
	for _, p := range root.Pairs {
		key := p.Key.Text
		if slices.Contains(Keys, key) || slices.Contains(foreignKeys, key) {
			continue
		}
		hint := diag.DidYouMean(key, Keys)
		if strings.HasPrefix(key, "utter_") {
			hint = "indent it below responses:"
		}
		if hint != "" {
			r.problems.Warnf(p.Key.Pos, "unknown-key", hint, "a domain has no key %q; it is ignored", key)
		}
	}
}

// list checks that a section is a list and returns its items.
func (r *reader) list(n *yamlfile.Node, section, hint string) []*yamlfile.Node {
	if n.IsNull() {
		return nil
	}
	if n.Kind != yamlfile.List {
		r.fail(n.Pos, "invalid-domain", hint, "%s must be a list, not %s", section, n.Kind)
		return nil
	}
	return n.Items
}

// pairs checks that a section is a map and returns its pairs.
func (r *reader) pairs(n *yamlfile.Node, section, hint string) []yamlfile.Pair {
	if n.IsNull() {
		return nil
	}
	if n.Kind != yamlfile.Map {
		r.fail(n.Pos, "invalid-domain", hint, "%s must be a map, not %s", section, n.Kind)
		return nil
	}
	return n.Pairs
}

// named reads an item that is a name, or a map of one name to its settings.
func (r *reader) named(n *yamlfile.Node, kind string) (name string, body *yamlfile.Node, ok bool) {
	if text, isText := n.Str(); isText && text != "" {
		return text, nil, true
	}
	if n.Kind != yamlfile.Map || len(n.Pairs) == 0 {
		r.fail(n.Pos, "invalid-domain", "write - name, or - name: with its settings below", "an item of this list must be the name of an %s, not %s", kind, n.Kind)
		return "", nil, false
	}
	p := n.Pairs[0]
	if p.Value.IsNull() {
		r.fail(p.Key.Pos, "invalid-domain", "remove the colon, or indent the settings below it", "%s %q has a colon and no settings", kind, p.Key.Text)
		return "", nil, false
	}
	if p.Value.Kind != yamlfile.Map {
		r.fail(p.Value.Pos, "invalid-domain", "", "the settings of %s %q must be a map, not %s", kind, p.Key.Text, p.Value.Kind)
		return "", nil, false
	}
	if len(n.Pairs) > 1 {
		r.fail(n.Pairs[1].Key.Pos, "invalid-domain", "indent the settings below the name, or begin a new item with -",
			"%q stands beside %s %q", n.Pairs[1].Key.Text, kind, p.Key.Text)
		return "", nil, false
	}
	return p.Key.Text, p.Value, true
}

// unique reports whether a name is new in its section, and complains otherwise.
func (r *reader) unique(seen map[string]diag.Position, name, kind string, pos diag.Position) bool {
	if earlier, ok := seen[name]; ok {
		r.fail(pos, "duplicate-"+diag.Code(kind), "the first one is at "+earlier.String()+"; remove one of them", "%s %q is declared twice", kind, name)
		return false
	}
	seen[name] = pos
	return true
}

// strings reads a string or a list of strings.
func (r *reader) strings(n *yamlfile.Node, what string) []string {
	if n.IsNull() {
		return nil
	}
	if n.IsScalar() {
		return []string{n.PythonString()}
	}
	if n.Kind != yamlfile.List {
		r.fail(n.Pos, "invalid-value", "write a list of names", "%s must be a list of names, not %s", what, n.Kind)
		return nil
	}
	out := make([]string, 0, len(n.Items))
	for _, item := range n.Items {
		if !item.IsScalar() {
			r.fail(item.Pos, "invalid-value", "write a name", "an item of %s must be a name, not %s", what, item.Kind)
			continue
		}
		out = append(out, item.PythonString())
	}
	return out
}

// bool reads true or false.
func (r *reader) bool(n *yamlfile.Node, what string, otherwise bool) bool {
	switch {
	case n.IsNull():
		return otherwise
	case n.Kind != yamlfile.Bool:
		r.fail(n.Pos, "invalid-value", "write true or false", "%s must be true or false, not %s", what, n.Kind)
		return otherwise
	}
	return n.Flag
}

// number reads a number.
func (r *reader) number(n *yamlfile.Node, what string, otherwise float64) float64 {
	switch {
	case n.IsNull():
		return otherwise
	case n.Kind != yamlfile.Int && n.Kind != yamlfile.Float:
		r.fail(n.Pos, "invalid-value", "write a number without quotes", "%s must be a number, not %s", what, n.Kind)
		return otherwise
	}
	return n.Float()
}
