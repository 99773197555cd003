package marker

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Read reads the markers of a file, or of all YAML files at and below a folder:
// those of a folder before those of its subfolders, both in alphabetical order.
// What is wrong is put on the list, and what is right is returned.
func Read(path string, problems *diag.List) []Marker {
	files, err := list(path)
	switch {
	case err != nil:
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "unreadable-file", "", "the markers can't be read: %v", err)
	case files == nil:
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "missing-file", "name the file, or a folder of such files: --config",
			"there are no markers: no YAML file is here")
	}
	r := reader{problems: problems, places: map[string]diag.Position{}}
	for _, file := range files {
		before := problems.ErrorCount()
		root := yamlfile.Read(file, filepath.ToSlash(file), problems)
		if problems.ErrorCount() == before {
			r.file(root, diag.Position{File: filepath.ToSlash(file)})
		}
	}
	return r.markers
}

// list names the files; there are none where there is no such path.
func list(path string) (files []string, err error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil || !info.IsDir() {
		return []string{path}, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var below []string
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		switch ext := filepath.Ext(name); {
		case e.IsDir():
			inside, err := list(name)
			if err != nil {
				return nil, err
			}
			below = append(below, inside...)
		case ext == ".yml" || ext == ".yaml":
			files = append(files, name)
		}
	}
	return append(files, below...), nil
}

// Parse reads the markers of one file that is in memory.
func Parse(data []byte, display string, problems *diag.List) []Marker {
	before := problems.ErrorCount()
	root := yamlfile.Parse(data, display, problems)
	r := reader{problems: problems, places: map[string]diag.Position{}}
	if problems.ErrorCount() == before {
		r.file(root, diag.Position{File: display})
	}
	return r.markers
}

type reader struct {
	problems *diag.List
	markers  []Marker
	places   map[string]diag.Position // by the name of a marker
}

// code is that of all problems with the shape of a marker.
const code = "invalid-marker"

func (r *reader) file(root *yamlfile.Node, pos diag.Position) {
	if root != nil && root.Kind != yamlfile.Null {
		pos = root.Pos
	}
	switch {
	case root.IsNull() || root.Kind == yamlfile.Map && len(root.Pairs) == 0:
		r.problems.Errorf(pos, code, example, "the file has no markers")
		return
	case root.Kind != yamlfile.Map:
		r.problems.Errorf(pos, code, example, "markers are a map of names and conditions, not %s", root.Kind)
		return
	}
	for _, p := range root.Pairs {
		r.marker(p)
	}
}

const example = `for example "asked_for_help: {intent: help}"`

func (r *reader) marker(p yamlfile.Pair) {
	name, isText := p.Key.Str()
	_, isTag := tags[name]
	switch earlier, known := r.places[name]; {
	case !isText:
		r.problems.Errorf(p.Key.Pos, code, "put the name in quotes", "the name of a marker is a text, not %s", p.Key.Kind)
		return
	case isTag:
		r.problems.Errorf(p.Key.Pos, code, "write a name of your own, and the condition below it", "%q is a condition, not the name of a marker", name)
		return
	case known:
		r.problems.Errorf(p.Key.Pos, "duplicate-key", "give it another name", "the marker %q is defined at %s already", name, earlier)
		return
	}
	r.places[name] = p.Key.Pos
	if c := r.condition(p.Value, p.Key.Pos); c != nil {
		r.markers = append(r.markers, Marker{Name: name, Pos: p.Key.Pos, condition: c})
	}
}

// condition reads a map with one condition. pos is where a missing one belongs.
func (r *reader) condition(n *yamlfile.Node, pos diag.Position) *condition {
	if !n.IsNull() {
		pos = n.Pos
	}
	if n.IsNull() || n.Kind != yamlfile.Map {
		r.problems.Errorf(pos, code, `for example "intent: greet"`, "a condition is a map with one key, not %s", kindOf(n))
		return nil
	}
	var first *yamlfile.Pair
	for i, p := range n.Pairs {
		switch {
		case p.Key.Text == "description":
		case first == nil:
			first = &n.Pairs[i]
		default:
			r.problems.Warnf(p.Key.Pos, code, `join them: "and:" with a list of conditions`,
				"a condition has one key; %q counts, and %q is ignored", first.Key.Text, p.Key.Text)
		}
	}
	if first == nil {
		r.problems.Errorf(pos, code, `for example "intent: greet"`, "there is no condition")
		return nil
	}
	t, ok := tags[first.Key.Text]
	if !ok {
		known := slices.Sorted(maps.Keys(tags))
		hint := diag.DidYouMean(first.Key.Text, known)
		if hint == "" {
			hint = "there are " + strings.Join(known, ", ")
		}
		r.problems.Errorf(first.Key.Pos, "unknown-key", hint, "there is no condition %q", first.Key.Text)
		return nil
	}
	if t.kind.isOperator() {
		return r.operator(t, *first)
	}
	name, ok := first.Value.Str()
	if !ok {
		r.problems.Errorf(first.Value.Pos, code, "write one name; several are joined by and, or, seq", "%q takes a name, not %s", first.Key.Text, kindOf(first.Value))
		return nil
	}
	return &condition{tag: t, name: name, pos: first.Value.Pos}
}

func (r *reader) operator(t tag, p yamlfile.Pair) *condition {
	if p.Value.IsNull() || p.Value.Kind != yamlfile.List {
		r.problems.Errorf(p.Value.Pos, code, `write each condition with a dash: "- intent: greet"`, "%q takes a list of conditions, not %s", p.Key.Text, kindOf(p.Value))
		return nil
	}
	if n := len(p.Value.Items); n == 0 || n > 1 && t.kind.takesOne() {
		wanted := "at least one condition"
		if t.kind.takesOne() {
			wanted = "exactly one condition"
		}
		r.problems.Errorf(p.Key.Pos, code, "", "%q takes %s, not %d", p.Key.Text, wanted, n)
	}
	c := &condition{tag: t, pos: p.Key.Pos}
	for _, item := range p.Value.Items {
		if part := r.condition(item, item.Pos); part != nil {
			c.parts = append(c.parts, part)
		}
	}
	if len(c.parts) == 0 {
		return nil
	}
	return c
}

func kindOf(n *yamlfile.Node) string {
	if n.IsNull() {
		return "nothing"
	}
	return n.Kind.String()
}
