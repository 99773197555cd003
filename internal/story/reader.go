package story

import (
	"path"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Reader turns the stories and rules of files into blocks.
type Reader struct {
	// Domain decides which value a slot without one gets, and which intents are
	// known. It is nil where nothing is known; then nothing is checked against it.
	Domain *domain.Domain
	// Problems collects what is wrong with the files.
	Problems *diag.List
}

// IsTestFile reports whether a file holds conversation tests by its name: user
// steps are then read as text and expectation.
func IsTestFile(file string) bool {
	return strings.HasPrefix(path.Base(strings.ReplaceAll(file, `\`, "/")), "test_")
}

// Read returns the blocks under stories: and then those under rules: of one
// parsed file. Other keys are not looked at.
func (r *Reader) Read(root *yamlfile.Node) *Graph {
	g := &Graph{}
	if root == nil {
		return g
	}
	f := file{Reader: r, test: IsTestFile(root.Pos.File)}
	for _, section := range []string{"stories", "rules"} {
		list := root.Get(section)
		if list.IsNull() {
			continue
		}
		if list.Kind != yamlfile.List {
			r.Problems.Errorf(list.Pos, "invalid-stories", "write a list of items that begin with - "+singular(section),
				"%s must be a list, not %s", section, list.Kind)
			continue
		}
		for _, item := range list.Items {
			g.Blocks = append(g.Blocks, f.item(item, singular(section))...)
		}
	}
	return g
}

func singular(section string) string {
	if section == "rules" {
		return "rule"
	}
	return "story"
}

// file is the reading of one file.
type file struct {
	*Reader
	test bool
}

var itemKeys = map[string][]string{
	"story": {"story", "metadata", "steps"},
	"rule":  {"rule", "metadata", "steps", "condition", "conversation_start", "wait_for_user_input"},
}

// item reads one story or rule.
func (f *file) item(n *yamlfile.Node, kind string) []*Block {
	if n.Kind != yamlfile.Map {
		f.Problems.Errorf(n.Pos, "invalid-story", "begin it with - "+kind+": and a name", "a %s must be a map, not %s", kind, n.Kind)
		return nil
	}
	if !f.knownKeys(n, kind) {
		return nil
	}
	nameNode := n.Get(kind)
	if nameNode == nil {
		f.Problems.Errorf(n.Pos, "invalid-story", "add "+kind+": and a name", "the %s has no name", kind)
		return nil
	}
	name := ""
	switch {
	case nameNode.IsScalar():
		name = nameNode.PythonString()
	case !nameNode.IsNull():
		f.Problems.Errorf(nameNode.Pos, "invalid-story", "", "the name of a %s must be a text, not %s", kind, nameNode.Kind)
		return nil
	}
	if name == "" {
		f.Problems.Warnf(nameNode.Pos, "empty-story-name", "give every "+kind+" a name of its own", "the %s has an empty name", kind)
	}
	steps := n.Get("steps")
	if steps.IsNull() || steps.Kind == yamlfile.List && len(steps.Items) == 0 {
		f.Problems.Warnf(nameNode.Pos, "no-steps", "", "the %s %q has no steps and is skipped", kind, name)
		return nil
	}
	if steps.Kind != yamlfile.List {
		f.Problems.Errorf(steps.Pos, "invalid-story", "write each step as an item that begins with -", "steps must be a list, not %s", steps.Kind)
		return nil
	}
	b := newBlockBuilder(name, kind == "rule", nameNode.Pos)
	if kind == "rule" {
		f.ruleStart(b, n)
	}
	for _, step := range steps.Items {
		f.step(b, step)
	}
	if kind == "rule" && !f.flag(n, "wait_for_user_input", true) {
		b.add(Event{&tracker.ActionExecuted{Name: Marker}, n.Key("wait_for_user_input").Pos})
	}
	return b.finish()
}

// knownKeys refuses keys that the item can't have.
func (f *file) knownKeys(n *yamlfile.Node, kind string) bool {
	ok := true
	for _, p := range n.Pairs {
		known := false
		for _, k := range itemKeys[kind] {
			known = known || p.Key.Text == k
		}
		if known {
			continue
		}
		ok = false
		hint := diag.DidYouMean(p.Key.Text, itemKeys[kind])
		switch {
		case kind == "story" && p.Key.Text == "rule":
			hint = "move the rule below rules:"
		case kind == "rule" && p.Key.Text == "story":
			hint = "move the story below stories:"
		case hint == "":
			hint = "keys of a " + kind + ": " + strings.Join(itemKeys[kind], ", ")
		}
		f.Problems.Errorf(p.Key.Pos, "unknown-key", hint, "a %s has no key %q", kind, p.Key.Text)
	}
	return ok
}

// ruleStart adds a rule's conditions, and the marker that lets it apply at any
// time of a conversation.
func (f *file) ruleStart(b *blockBuilder, n *yamlfile.Node) {
	conditions := n.Get("condition")
	if !conditions.IsNull() && conditions.Kind != yamlfile.List {
		f.Problems.Errorf(conditions.Pos, "invalid-condition", "write - active_loop: or - slot_was_set: below condition:",
			"condition must be a list, not %s", conditions.Kind)
		conditions = nil
	}
	if conditions != nil {
		for _, c := range conditions.Items {
			switch {
			case c.Has("active_loop"):
				f.activeLoop(b, c)
			case c.Has("slot_was_set"):
				for _, e := range f.slots(c.Get("slot_was_set"), true) {
					b.add(e)
				}
			default:
				f.Problems.Errorf(c.Pos, "invalid-condition", "conditions of a rule are active_loop and slot_was_set",
					"the rule %q has a condition that is neither active_loop nor slot_was_set", b.name)
			}
		}
	}
	if !f.flag(n, "conversation_start", false) {
		b.add(Event{&tracker.ActionExecuted{Name: Marker}, b.pos})
	}
}

// flag reads a boolean setting of a rule.
func (f *file) flag(n *yamlfile.Node, key string, otherwise bool) bool {
	v := n.Get(key)
	switch {
	case v.IsNull():
		return otherwise
	case v.Kind != yamlfile.Bool:
		f.Problems.Errorf(v.Pos, "invalid-value", "write true or false", "%s must be true or false, not %s", key, v.Kind)
		return otherwise
	default:
		return v.Flag
	}
}
