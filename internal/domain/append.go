package domain

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Additions are what a domain file is to declare besides what it declares.
type Additions struct {
	Intents  []string
	Entities []string
	// Actions are all new actions. Those with a text are responses.
	Actions []string
	Texts   map[string]string
}

// AppendTo adds to the text of a domain file and leaves everything else as it
// stands, what it declares already included. A file that has no room is a
// yamlfile.ErrCantAppend.
func (a Additions) AppendTo(file []byte) ([]byte, error) {
	var problems diag.List
	d := Read(yamlfile.Parse(file, "", &problems), &problems)
	if problems.HasErrors() {
		return nil, yamlfile.ErrCantAppend
	}
	responses := &yamlfile.Node{Kind: yamlfile.Map}
	var actions []string
	for _, name := range a.Actions {
		switch _, known := d.ActionIndex(name); {
		case known:
		case a.Texts[name] != "":
			text := &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{pair("text", yamlfile.NewString(a.Texts[name]))}}
			responses.Pairs = append(responses.Pairs, pair(name, &yamlfile.Node{Kind: yamlfile.List, Items: []*yamlfile.Node{text}}))
		default:
			actions = append(actions, name)
		}
	}
	sections := []struct{ key, text string }{
		{"intents", names(a.Intents, d.HasIntent)},
		{"entities", names(a.Entities, d.HasEntity)},
		{"responses", responses.YAML(0)},
		{"actions", names(actions, func(string) bool { return false })},
	}
	out := file
	for _, s := range sections {
		if s.text == "" || s.text == "{}" {
			continue
		}
		if len(out) == 0 {
			out = []byte("version: \"" + yamlfile.FormatVersion + "\"\n")
		}
		var err error
		if out, err = yamlfile.Append(out, s.key, s.text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// names writes a list without what is known.
func names(list []string, known func(string) bool) string {
	var b strings.Builder
	for _, name := range slices.DeleteFunc(slices.Clone(list), known) {
		b.WriteString("- " + yamlfile.Scalar(name) + "\n")
	}
	return b.String()
}
