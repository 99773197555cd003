package project

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Config is config.yml as written. Nothing is filled in: an absent key is empty
// here, and package recipe decides what that means.
type Config struct {
	File        string // for messages; "" when there is no file
	Version     string
	Recipe      string
	RecipePos   diag.Position
	Language    string
	LanguagePos diag.Position
	AssistantID string
	Pipeline    Section
	Policies    Section
	Importers   Section
	Spaces      Section
	// Imports lists folders and files that MultiProjectImporter reads.
	Imports []Import
	// Root has every key of the file, also those of recipe graph.v1.
	Root *yamlfile.Node
}

// Section is a list of named items, such as the pipeline.
type Section struct {
	// Present reports that the key is there with a list, maybe an empty one. A
	// section that is absent or null gets filled in automatically.
	Present bool
	Items   []Item
	Pos     diag.Position // of the key; the file when it is absent
}

// Item is one entry of a section, such as a component with its settings.
type Item struct {
	Name   string
	Pos    diag.Position   // of the name
	Params []yamlfile.Pair // the other keys as written, in file order
	node   *yamlfile.Node
}

// Param returns the value of a setting, or nil.
func (i Item) Param(name string) *yamlfile.Node {
	if name == "name" {
		return nil
	}
	return i.node.Get(name)
}

// Values gives the settings as plain Go values.
func (i Item) Values() map[string]any {
	out := make(map[string]any, len(i.Params))
	for _, p := range i.Params {
		out[p.Key.Text] = p.Value.Any()
	}
	return out
}

// Import is one entry of imports.
type Import struct {
	Path string
	Pos  diag.Position
}

// configKeys are the keys that Rasa gives a meaning to.
var configKeys = []string{
	"version", "recipe", "language", "assistant_id", "pipeline", "policies", "importers", "imports", "spaces",
	"train_schema", "predict_schema", "nlu_target", "core_target", "telemetry",
}

// OtherKeys lists the top-level keys that are not among those of Config.
func (c *Config) OtherKeys() []string {
	var out []string
	for _, key := range c.Root.Keys() {
		switch key {
		case "recipe", "language", "assistant_id", "pipeline", "policies":
		default:
			out = append(out, key)
		}
	}
	return out
}

// ReadConfig reads the file at path. display is the name for messages. What is
// wrong is added to problems; the result is never nil.
func ReadConfig(path, display string, problems *diag.List) *Config {
	return ParseConfig(yamlfile.Read(path, display, problems), display, problems)
}

// ParseConfig interprets a parsed config.yml; root is nil for an empty file.
func ParseConfig(root *yamlfile.Node, display string, problems *diag.List) *Config {
	c := &Config{File: display, Root: root}
	if root == nil {
		return c
	}
	if root.Kind != yamlfile.Map {
		problems.Errorf(root.Pos, "invalid-config", "begin with recipe: default.v1", "the configuration must be a map, not %s", root.Kind)
		c.Root = nil
		return c
	}
	r := configReader{problems}
	c.Version = r.text(root, "version")
	c.Recipe, c.RecipePos = r.text(root, "recipe"), position(root, "recipe")
	c.Language, c.LanguagePos = r.text(root, "language"), position(root, "language")
	c.AssistantID = r.text(root, "assistant_id")
	c.Pipeline = r.section(root, "pipeline")
	c.Policies = r.section(root, "policies")
	c.Importers = r.section(root, "importers")
	c.Spaces = r.section(root, "spaces")
	c.Imports = r.imports(root)
	for _, p := range root.Pairs {
		if hint := diag.DidYouMean(p.Key.Text, configKeys); hint != "" && !known(p.Key.Text, configKeys) {
			problems.Warnf(p.Key.Pos, "unknown-key", hint, "the configuration has no key %q; it is ignored", p.Key.Text)
		}
	}
	return c
}

func known(name string, names []string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

// position of a key's value, or of the file when the key is absent.
func position(n *yamlfile.Node, key string) diag.Position {
	if v := n.Get(key); v != nil {
		return v.Pos
	}
	return diag.Position{File: n.Pos.File}
}

type configReader struct{ problems *diag.List }

// text reads a key whose value is a string.
func (r configReader) text(root *yamlfile.Node, key string) string {
	v := root.Get(key)
	if v.IsNull() {
		return ""
	}
	s, ok := v.Str()
	if !ok {
		r.problems.Errorf(v.Pos, "invalid-value", "put the value in quotes", "%s must be a string, not %s", key, v.Kind)
	}
	return s
}

// section reads a list of items with names. A bare name counts as an item
// without settings.
func (r configReader) section(root *yamlfile.Node, key string) Section {
	s := Section{Pos: diag.Position{File: root.Pos.File}}
	if k := root.Key(key); k != nil {
		s.Pos = k.Pos
	}
	v := root.Get(key)
	if v.IsNull() {
		return s
	}
	if v.Kind != yamlfile.List {
		r.problems.Errorf(v.Pos, "invalid-config", "write a list with an item - name: for each component",
			"%s must be a list, not %s", key, v.Kind)
		return s
	}
	s.Present = true
	for _, n := range v.Items {
		if item, ok := r.item(n, key); ok {
			s.Items = append(s.Items, item)
		}
	}
	return s
}

func (r configReader) item(n *yamlfile.Node, section string) (Item, bool) {
	if name, ok := n.Str(); ok && strings.TrimSpace(name) != "" {
		return Item{Name: name, Pos: n.Pos, node: n}, true
	}
	if n.Kind != yamlfile.Map {
		r.problems.Errorf(n.Pos, "invalid-config", "write - name: and the component's name", "an item of %s must be a map, not %s", section, n.Kind)
		return Item{}, false
	}
	nameNode := n.Get("name")
	name, ok := nameNode.Str()
	if !ok || name == "" {
		pos := n.Pos
		if nameNode != nil {
			pos = nameNode.Pos
		}
		r.problems.Errorf(pos, "invalid-config", "add name: and the component's name", "an item of %s has no name", section)
		return Item{}, false
	}
	item := Item{Name: name, Pos: nameNode.Pos, node: n}
	for _, p := range n.Pairs {
		if p.Key.Text != "name" {
			item.Params = append(item.Params, p)
		}
	}
	return item, true
}

// imports reads the list of folders for MultiProjectImporter.
func (r configReader) imports(root *yamlfile.Node) []Import {
	v := root.Get("imports")
	if v.IsNull() {
		return nil
	}
	if v.Kind != yamlfile.List {
		r.problems.Errorf(v.Pos, "invalid-config", "list folders below imports:", "imports must be a list, not %s", v.Kind)
		return nil
	}
	var out []Import
	for _, n := range v.Items {
		path, ok := n.Str()
		if !ok {
			r.problems.Errorf(n.Pos, "invalid-config", "write the path of a folder or of a config file", "an import must be a path, not %s", n.Kind)
			continue
		}
		out = append(out, Import{path, n.Pos})
	}
	return out
}
