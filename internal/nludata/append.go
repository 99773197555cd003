package nludata

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// AppendExamples adds examples to the text of a file with NLU data, behind those
// of the same intent, and leaves everything else as it stands. It leaves out
// those that the file has already, and tells how many it added. A file that has no
// room for them is a yamlfile.ErrCantAppend.
func AppendExamples(file []byte, examples []Example) (out []byte, added int, err error) {
	before, err := readExamples(file)
	if err != nil {
		return nil, 0, err
	}
	known := map[string]bool{}
	for i := range before {
		known[before[i].key()] = true
	}
	byIntent := map[string][]Example{}
	var intents []string
	for _, e := range examples {
		if known[e.key()] || e.Text == "" {
			continue
		}
		known[e.key()] = true
		if byIntent[e.Label()] == nil {
			intents = append(intents, e.Label())
		}
		byIntent[e.Label()] = append(byIntent[e.Label()], e)
		added++
	}
	out = file
	if len(out) == 0 && added > 0 {
		out = []byte(versionLine)
	}
	for _, intent := range intents {
		if out, err = appendIntent(out, byIntent[intent]); err != nil {
			return nil, 0, err
		}
	}
	return out, added, nil
}

// key tells examples apart.
func (e *Example) key() string { return e.Label() + "\n" + e.Annotated() }

func readExamples(file []byte) ([]Example, error) {
	var problems diag.List
	data := Read(yamlfile.Parse(file, "", &problems), &problems)
	if problems.HasErrors() {
		return nil, fmt.Errorf("%w: it can't be read", yamlfile.ErrCantAppend)
	}
	return data.Examples, nil
}

// appendIntent adds examples of one intent: as lines of its block, or else as a
// block of their own.
func appendIntent(file []byte, examples []Example) ([]byte, error) {
	if out, ok := intoBlock(file, examples); ok {
		return out, nil
	}
	var b strings.Builder
	writeIntent(&b, examples)
	return yamlfile.Append(file, "nlu", b.String())
}

func intoBlock(file []byte, examples []Example) ([]byte, bool) {
	var problems diag.List
	root := yamlfile.Parse(file, "", &problems)
	var block *yamlfile.Node
	if list := root.Get("nlu"); list != nil {
		for _, item := range list.Items {
			if item.Get("intent").TextOrEmpty() == examples[0].Label() && item.Get("metadata").IsNull() {
				block = item.Get("examples")
			}
		}
	}
	if block == nil || block.Block < 2 {
		return nil, false
	}
	lines := strings.SplitAfter(string(file), "\n")
	spaces := strings.Repeat(" ", int(block.Block)-1)
	last := block.Pos.Line
	for i := last; i < len(lines); i++ { // a block ends before what is indented less
		if strings.TrimSpace(lines[i]) == "" {
			continue
		}
		if !strings.HasPrefix(lines[i], spaces) {
			break
		}
		last = i + 1
	}
	var b strings.Builder
	b.WriteString(strings.Join(lines[:last], ""))
	if last > 0 && !strings.HasSuffix(lines[last-1], "\n") {
		b.WriteByte('\n')
	}
	for i := range examples {
		line := examples[i].Annotated()
		if !isLine(line) {
			return nil, false
		}
		b.WriteString(spaces + "- " + line + "\n")
	}
	b.WriteString(strings.Join(lines[last:], ""))
	out := []byte(b.String())
	return out, hasGrownBy(file, out, examples)
}

// hasGrownBy reports whether a file says what another said, and examples.
func hasGrownBy(before, after []byte, examples []Example) bool {
	a, err1 := readExamples(before)
	b, err2 := readExamples(after)
	if err1 != nil || err2 != nil {
		return false
	}
	keys := func(list []Example) []string {
		var out []string
		for i := range list {
			out = append(out, list[i].key())
		}
		slices.Sort(out)
		return out
	}
	return slices.Equal(keys(slices.Concat(a, examples)), keys(b))
}
