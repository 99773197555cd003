package nludata

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/pystr"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// New returns empty training data.
func New() *TrainingData {
	return &TrainingData{Synonyms: map[string]string{}, Responses: map[string][]Response{}}
}

// Read takes the keys nlu and responses of one file. Other keys are left alone. A
// file with a higher version than 3.1 is skipped, as by Rasa.
func Read(root *yamlfile.Node, problems *diag.List) *TrainingData {
	r := &reader{data: New(), problems: problems, lookups: map[string]int{}}
	if root == nil || root.Kind != yamlfile.Map || !yamlfile.CheckVersion(root, problems) {
		return r.data
	}
	if n := root.Get("nlu"); !n.IsNull() {
		if n.Kind != yamlfile.List {
			problems.Errorf(n.Pos, "invalid-nlu", "write - intent: and examples: for each intent", "nlu must be a list, not %s", n.Kind)
		}
		for _, item := range n.Items {
			r.item(item)
		}
	}
	r.responses(root.Get("responses"))
	r.data.finish()
	return r.data
}

// finish drops repeated examples and sorts regular expressions, as Rasa does.
func (d *TrainingData) finish() {
	seen := map[string][]int{}
	kept := d.Examples[:0]
	for _, e := range d.Examples {
		same := slices.ContainsFunc(seen[e.Text], func(i int) bool { return equal(&kept[i], &e) })
		if !same {
			seen[e.Text] = append(seen[e.Text], len(kept))
			kept = append(kept, e)
		}
	}
	d.Examples = kept
	slices.SortStableFunc(d.Regexes, func(a, b Pattern) int { return cmp.Compare(a.Name+a.Pattern, b.Name+b.Pattern) })
	d.LabelResponses()
}

// LabelResponses gives every example of a retrieval intent the text that stands
// for its response: that of the last variation that has one, else the response's
// name (Rasa 3.6.21). It is called again when Responses change.
func (d *TrainingData) LabelResponses() {
	for i := range d.Examples {
		e := &d.Examples[i]
		if e.IntentResponseKey == "" {
			continue
		}
		e.Response = ""
		name := "utter_" + e.IntentResponseKey
		for _, v := range d.Responses[name] {
			if v.HasText {
				e.Response = v.Text
			}
		}
		if e.Response == "" && len(d.Responses[name]) > 0 {
			e.Response = name
		}
	}
}

func equal(a, b *Example) bool {
	return a.Intent == b.Intent && a.IntentResponseKey == b.IntentResponseKey &&
		reflect.DeepEqual(a.Entities, b.Entities) && reflect.DeepEqual(a.Metadata, b.Metadata)
}

// Merge joins the data of several files in order: a later synonym or response
// wins, everything else adds up. Lookup tables of one name in several files stay
// apart, so that each finds its entities (Rasa 3.6).
func Merge(parts []*TrainingData, problems *diag.List) *TrainingData {
	out := New()
	for _, p := range parts {
		out.Examples = append(out.Examples, p.Examples...)
		out.Regexes = append(out.Regexes, p.Regexes...)
		out.Lookups = append(out.Lookups, p.Lookups...)
		for _, surface := range p.SynonymForms() {
			out.addSynonym(surface, p.Synonyms[surface], diag.Position{}, problems)
		}
		for name, variations := range p.Responses {
			out.Responses[name] = variations
		}
	}
	out.finish()
	return out
}

func (d *TrainingData) addSynonym(surface, value string, pos diag.Position, problems *diag.List) {
	had, ok := d.Synonyms[surface]
	if !ok {
		d.SynonymOrder = append(d.SynonymOrder, surface)
	}
	if ok && had != value {
		problems.Warnf(pos, "conflicting-synonym", "keep one of them", "%q is a synonym of %q and of %q; the latter counts", surface, had, value)
	}
	d.Synonyms[surface] = value
}

// reader takes one file apart.
type reader struct {
	data     *TrainingData
	problems *diag.List
	lookups  map[string]int // index in data.Lookups by name
}

// kinds are what an item of the list "nlu" can be, in the order in which Rasa
// looks for them, with the keys that may stand beside.
var kinds = []string{"intent", "synonym", "regex", "lookup"}

func (r *reader) item(n *yamlfile.Node) {
	if n.Kind != yamlfile.Map {
		r.problems.Errorf(n.Pos, "invalid-nlu", "write - intent: and examples:", "an item of nlu must be a map, not %s", n.Kind)
		return
	}
	kind := ""
	for _, k := range kinds {
		if n.Has(k) {
			if kind != "" {
				r.problems.Errorf(n.Key(k).Pos, "ambiguous-item", "make an item of each", "the item is both %s and %s", kind, k)
				return
			}
			kind = k
		}
	}
	ok := true
	for _, p := range n.Pairs {
		if key := p.Key.Text; key != kind && key != "examples" && !(kind == "intent" && key == "metadata") {
			hint := diag.DidYouMean(key, append([]string{"examples", "metadata"}, kinds...))
			if hint == "" {
				hint = "keys: intent, synonym, regex or lookup; examples; metadata"
			}
			r.problems.Errorf(p.Key.Pos, "unknown-key", hint, "an item of nlu has no key %q", key)
			ok = false
		}
	}
	if !ok {
		return
	}
	if kind == "" {
		r.problems.Warnf(n.Pos, "unknown-item", "add intent:, synonym:, regex: or lookup:", "the item does not say what it is and is skipped")
		return
	}
	name, ok := r.name(n, kind)
	if !ok {
		return
	}
	if kind == "intent" {
		r.intent(n, name)
		return
	}
	r.table(n, kind, name)
}

// name reads the name of an item. It reports false, with a complaint, for one
// that is empty or no text.
func (r *reader) name(n *yamlfile.Node, kind string) (string, bool) {
	v := n.Get(kind)
	if !v.IsNull() && v.Kind != yamlfile.String {
		r.problems.Errorf(v.Pos, "invalid-value", "put the name in quotes", "the name of the %s must be a string, not %s", kind, v.Kind)
		return "", false
	}
	name := strings.TrimSpace(v.TextOrEmpty())
	if name == "" {
		r.problems.Warnf(n.Pos, "empty-name", "write a name behind "+kind+":", "the %s has no name and is skipped", kind)
		return "", false
	}
	return v.Text, true
}

// intent reads the examples of an intent. "faq/ask_name" is a retrieval intent:
// its base is the intent, the whole its response key.
func (r *reader) intent(n *yamlfile.Node, name string) {
	intent, key, ok := splitIntent(name)
	if !ok {
		r.problems.Errorf(n.Get("intent").Pos, "invalid-intent", "write intent/key", "the intent %q has more than one slash", name)
		return
	}
	base := Example{Intent: intent, IntentResponseKey: key}
	if m := n.Get("metadata"); m != nil {
		base.Metadata = map[string]any{"intent": m.Any()}
	}
	examples := n.Get("examples")
	if examples.IsNull() || examples.Kind == yamlfile.String && strings.TrimSpace(examples.Text) == "" {
		r.problems.Warnf(n.Get("intent").Pos, "no-examples", "add examples: |", "the intent %q has no examples", name)
		return
	}
	if examples.Kind == yamlfile.List {
		r.exampleMaps(examples, base)
		return
	}
	found := false
	for line := range r.lines(examples, name) {
		found = true
		base.Pos = line.pos
		r.example(base, line.text)
	}
	if !found && examples.Kind == yamlfile.String {
		r.problems.Warnf(n.Get("intent").Pos, "no-examples", "add examples: |", "the intent %q has no examples", name)
	}
}

// splitIntent takes the name of an intent apart: the intent itself and, for a
// retrieval intent, its response key. It reports false for more than one slash.
func splitIntent(name string) (intent, key string, ok bool) {
	intent, rest, _ := strings.Cut(name, "/")
	if strings.Contains(rest, "/") {
		return "", "", false
	}
	if rest != "" {
		key = name
	}
	return strings.TrimSpace(intent), key, true
}

// exampleMaps reads examples in the long form, a map each.
func (r *reader) exampleMaps(examples *yamlfile.Node, base Example) {
	for _, item := range examples.Items {
		text := item.Get("text")
		if item.Kind != yamlfile.Map || text == nil || text.Kind != yamlfile.String {
			r.problems.Errorf(item.Pos, "invalid-examples", "write - text: and the example, or use a block: examples: |", "an example of %q has no text", base.Intent)
			continue
		}
		for _, p := range item.Pairs {
			if p.Key.Text != "text" && p.Key.Text != "metadata" {
				r.problems.Errorf(p.Key.Pos, "unknown-key", "keys: text, metadata", "an example has no key %q", p.Key.Text)
			}
		}
		e := base
		e.Pos = text.Pos
		if m := item.Get("metadata"); m != nil {
			e.Metadata = map[string]any{"example": m.Any()}
			for k, v := range base.Metadata {
				e.Metadata[k] = v
			}
		}
		r.example(e, trim(text.Text))
	}
}

// example adds one example, and the synonyms that its annotations imply.
func (r *reader) example(e Example, annotatedText string) {
	text, entities, err := ParseAnnotated(annotatedText)
	if err != nil {
		bad, ok := errors.AsType[*AnnotationError](err)
		if !ok {
			bad = &AnnotationError{Text: annotatedText, Reason: err.Error()}
		}
		pos := e.Pos
		if pos.Column > 0 {
			pos.Column += bad.Offset
		}
		r.problems.Errorf(pos, "invalid-annotation", `write [text](entity) or [text]{"entity": "name", "role": "…", "group": "…", "value": "…"}`, "%v", bad)
		return
	}
	e.Text, e.Entities = text, entities
	runes := []rune(text)
	for _, entity := range entities {
		surface := string(runes[entity.Start:entity.End])
		if value, ok := entity.Value.(string); !ok {
			r.data.addSynonym(surface, number(entity.Value), e.Pos, r.problems)
		} else if value != surface {
			r.data.addSynonym(surface, value, e.Pos, r.problems)
		}
	}
	r.data.Examples = append(r.data.Examples, e)
}

// number prints a value of an annotation as Python does.
func number(v any) string {
	if f, ok := v.(float64); ok {
		return pystr.Float(f)
	}
	return fmt.Sprint(v)
}

// table reads the lines of a synonym, regex or lookup.
func (r *reader) table(n *yamlfile.Node, kind, name string) {
	examples := n.Get("examples")
	if examples.IsNull() || examples.Kind == yamlfile.String && strings.TrimSpace(examples.Text) == "" {
		r.problems.Warnf(n.Get(kind).Pos, "no-examples", "add examples: |", "the %s %q has no examples and is skipped", kind, name)
		return
	}
	if examples.Kind != yamlfile.String {
		r.problems.Errorf(examples.Pos, "invalid-examples", "write examples: | and lines that begin with -", "the examples of the %s %q must be a block of text, not %s", kind, name, examples.Kind)
		return
	}
	for line := range r.lines(examples, name) {
		switch kind {
		case "synonym":
			r.data.addSynonym(line.text, name, line.pos, r.problems)
		case "regex":
			r.data.Regexes = append(r.data.Regexes, Pattern{Name: name, Pattern: line.text, Pos: line.pos})
		case "lookup":
			table := r.lookupTable(name, n.Pos)
			table.Values = append(table.Values, line.text)
		}
	}
}

// lookupTable is the table of a name, which may stand in several pieces.
func (r *reader) lookupTable(name string, pos diag.Position) *Lookup {
	i, ok := r.lookups[name]
	if !ok {
		i = len(r.data.Lookups)
		r.lookups[name] = i
		r.data.Lookups = append(r.data.Lookups, Lookup{Name: name, Pos: pos})
	}
	return &r.data.Lookups[i]
}

// line is one line of a block of examples.
type line struct {
	text string // after the hyphen, without spaces around it
	pos  diag.Position
}

// lines yields the lines of a block that begin with a hyphen; others are skipped
// with a warning.
func (r *reader) lines(block *yamlfile.Node, name string) func(func(line) bool) {
	return func(yield func(line) bool) {
		if block.Kind != yamlfile.String {
			r.problems.Errorf(block.Pos, "invalid-examples", "write examples: | and lines that begin with -", "the examples of %q must be a block of text, not %s", name, block.Kind)
			return
		}
		number := 0
		for text := range strings.SplitSeq(strings.TrimSuffix(block.Text, "\n"), "\n") {
			pos := block.Pos
			if block.Block > 0 {
				number++
				pos.Line, pos.Column = block.Pos.Line+number, int(block.Block)
			}
			rest, ok := strings.CutPrefix(text, "-")
			if !ok {
				r.problems.Warnf(pos, "no-dash", "begin the line with - at the left of the block", "a line of %q does not begin with - and is skipped: %q", name, shorten(text))
				continue
			}
			trimmed := trim(rest)
			pos.Column += len(text) - len(strings.TrimLeft(rest, " \r"))
			if block.Block == 0 {
				pos = block.Pos
			}
			if !yield(line{trimmed, pos}) {
				return
			}
		}
	}
}

// trim removes what Rasa removes around an example: spaces and line ends, not
// tabs.
func trim(s string) string { return strings.Trim(s, " \r\n") }

func shorten(s string) string {
	const limit = 40
	if r := []rune(s); len(r) > limit {
		return string(r[:limit]) + "…"
	}
	return s
}

// responses reads retrieval responses.
func (r *reader) responses(n *yamlfile.Node) {
	if n.IsNull() {
		return
	}
	if n.Kind != yamlfile.Map {
		r.problems.Errorf(n.Pos, "invalid-response", "write the response's name and a list of variations below it", "responses must be a map, not %s", n.Kind)
		return
	}
	for _, p := range n.Pairs {
		if p.Value.Kind != yamlfile.List {
			r.problems.Errorf(p.Value.Pos, "invalid-response", "write - text: for each variation", "the variations of %q must be a list, not %s", p.Key.Text, p.Value.Kind)
			continue
		}
		variations := []Response{}
		for _, item := range p.Value.Items {
			if v, ok := domain.ReadResponse(item, p.Key.Text, r.problems); ok {
				variations = append(variations, Response{Text: v.Text, HasText: v.HasText, Node: item, Pos: v.Pos})
			}
		}
		r.data.Responses[p.Key.Text] = variations
	}
}
