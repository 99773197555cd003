package recipe

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Validate checks a completed configuration without learning: what must run
// before what, languages, and settings (nlu.md §2.3, §5, Rasa 3.6.21).
func Validate(c *project.Config, types graph.Types, problems *diag.List) {
	if c.Recipe == GraphV1 {
		return // Build checks the settings of graphs that are spelled out
	}
	b := &builder{config: c, types: types, problems: &diag.List{}}
	pipeline, policies := b.components(c.Pipeline, false), b.components(c.Policies, true)
	v := validator{config: c, types: types, problems: problems}
	v.order(pipeline)
	v.tokenizers(pipeline)
	v.aliases(pipeline)
	v.featurizers(pipeline, policies)
	v.partsOfSpeech(pipeline)
	for _, component := range slices.Concat(pipeline, policies) {
		v.thresholds(component)
		v.language(component)
		v.settings(component)
	}
	v.priorities(policies)
}

type validator struct {
	config   *project.Config
	types    graph.Types
	problems *diag.List
}

// order checks that what a component requires stands before it.
func (v validator) order(pipeline []*component) {
	for i, c := range pipeline {
		for _, required := range c.typ.Requires {
			if !slices.ContainsFunc(pipeline[:i], func(earlier *component) bool { return provides(earlier, required) }) {
				v.problems.Errorf(c.Pos, "missing-component", "put one before it", "%s needs %s before it", c.typ.Name, article(required))
			}
		}
	}
}

// provides reports whether a component is what another requires: a kind in
// Rasa's words, or a class.
func provides(c *component, required string) bool {
	switch required {
	case "Tokenizer":
		return c.is(graph.Tokenizer)
	case "Featurizer":
		return c.is(graph.Featurizer)
	case "DenseFeaturizer": // Rasa's SklearnIntentClassifier needs one; ours takes sparse features too
		return c.is(graph.Featurizer) && strings.Contains(c.typ.ClassPath, ".featurizers.")
	case "IntentClassifier":
		return c.is(graph.IntentClassifier)
	default:
		return c.typ.Name == required
	}
}

func article(required string) string {
	switch required {
	case "Tokenizer", "Featurizer":
		return "a " + strings.ToLower(required)
	case "DenseFeaturizer":
		return "a featurizer"
	case "IntentClassifier":
		return "an intent classifier"
	default:
		return required
	}
}

func (v validator) tokenizers(pipeline []*component) {
	var first *component
	for _, c := range pipeline {
		if !c.is(graph.Tokenizer) {
			continue
		}
		if first != nil {
			v.problems.Errorf(c.Pos, "several-tokenizers", "keep one", "the pipeline has a second tokenizer, %s; the first is %s", c.typ.Name, first.typ.Name)
			continue
		}
		first = c
	}
}

func (v validator) aliases(pipeline []*component) {
	seen := map[string]bool{}
	for _, c := range pipeline {
		alias, _ := c.config["alias"].(string)
		if alias == "" || !c.is(graph.Featurizer) {
			continue
		}
		if seen[alias] {
			v.problems.Errorf(c.Param("alias").Pos, "duplicate-alias", "give each featurizer an alias of its own", "the alias %q is taken", alias)
		}
		seen[alias] = true
	}
}

// featurizers checks that the setting of this name, which says whose features a
// component may see, names what stands before it: otherwise it sees none.
func (v validator) featurizers(pipeline, policies []*component) {
	var known []string
	for _, c := range slices.Concat(pipeline, policies) {
		if p := c.Param("featurizers"); c.typ.Defaults["featurizers"] != nil {
			names, _ := p.Any().([]any)
			for _, n := range names {
				if name, ok := n.(string); ok && !slices.Contains(known, name) {
					v.problems.Warnf(p.Pos, "unknown-featurizer", featurizerHint(name, known), "%s is to see the features of %q, and there is no featurizer of this name before it", c.typ.Name, name)
				}
			}
		}
		if c.is(graph.Featurizer) {
			alias, _ := c.config["alias"].(string)
			known = append(known, cmp.Or(alias, "run_"+c.suffix))
		}
	}
}

// partsOfSpeech checks that there are parts of speech where a component learns from
// them. Only spaCy's tokenizer finds any; with another, Rasa fails in training.
func (v validator) partsOfSpeech(pipeline []*component) {
	if slices.ContainsFunc(pipeline, func(c *component) bool { return c.typ.Name == "SpacyTokenizer" }) {
		return
	}
	for _, c := range pipeline {
		features := c.Param("features")
		if c.typ.Name != "CRFEntityExtractor" || features == nil {
			continue
		}
		for _, word := range features.Items {
			for _, feature := range word.Items {
				if name, _ := feature.Str(); name == "pos" || name == "pos2" {
					v.problems.Errorf(feature.Pos, "invalid-setting", "remove it", "the feature %q of CRFEntityExtractor needs a tokenizer that knows parts of speech", name)
				}
			}
		}
	}
}

// confidences are the settings that confidences are compared with.
var confidences = map[string][]string{
	"FallbackClassifier": {"threshold", "ambiguity_threshold"},
	"RulePolicy":         {"core_fallback_threshold"},
}

// thresholds warns of confidences that nothing has, or that everything has. As in
// Rasa 3.6 they are used as they are: a threshold of 3 always falls back.
func (v validator) thresholds(c *component) {
	for _, name := range confidences[c.typ.Name] {
		p := c.Param(name)
		if p != nil && (p.Kind == yamlfile.Int || p.Kind == yamlfile.Float) && !math.IsInf(p.Float(), 0) && (p.Float() < 0 || p.Float() > 1) {
			v.problems.Warnf(p.Pos, "value-out-of-range", "choose a number between 0 and 1", "the %s of %s is %s; confidences lie between 0 and 1", name, c.typ.Name, p.Text)
		}
	}
}

func featurizerHint(name string, known []string) string {
	if hint := diag.DidYouMean(name, known); hint != "" || len(known) == 0 {
		return hint
	}
	return "a featurizer is named by its alias; there are: " + strings.Join(known, ", ")
}

func (v validator) language(c *component) {
	language := v.config.Language
	switch {
	case language == "":
	case len(c.typ.Languages) > 0 && !slices.Contains(c.typ.Languages, language),
		slices.Contains(c.typ.NotLanguages, language):
		hint := fmt.Sprintf(`the language is set by "language: %s"`, language)
		if name := v.ableTokenizer(language); name != "" && c.is(graph.Tokenizer) {
			hint += "; " + name + " can"
		}
		v.problems.Errorf(c.Pos, "language", hint, "%s can't handle the language %q", c.typ.Name, language)
	}
}

// ableTokenizer names a tokenizer that is made for a language, or "".
func (v validator) ableTokenizer(language string) string {
	for _, name := range slices.Sorted(maps.Keys(v.types)) {
		t := v.types[name]
		if t.Build != nil && slices.Contains(t.Kinds, graph.Tokenizer) && slices.Contains(t.Languages, language) {
			return name
		}
	}
	return ""
}

// settings checks the types of settings against their defaults, and lets the
// component check the rest.
func (v validator) settings(c *component) {
	before := len(v.problems.Errors())
	for _, p := range c.Params {
		name := p.Key.Text
		if want, known := c.typ.Defaults[name]; known && !slices.Contains(c.typ.AnyKind, name) && !sameKind(want, p.Value.Any()) {
			v.problems.Errorf(p.Value.Pos, "wrong-type", "", "the setting %q of %s is %s, not %s", name, c.typ.Name, p.Value.Kind, kindOf(want))
		}
	}
	if c.typ.Check == nil || len(v.problems.Errors()) > before {
		return
	}
	for _, found := range c.typ.Check(graph.Merged(c.typ.Defaults, c.config)) {
		for _, err := range graph.Unjoin(found) {
			v.problems.Errorf(c.place(err.Error()), "invalid-setting", "", "%s: %v", c.typ.Name, err)
		}
	}
}

// place is where a complaint belongs that begins with the name of a setting.
func (c *component) place(complaint string) diag.Position {
	name, _, _ := strings.Cut(complaint, " ")
	for _, p := range c.Params {
		if p.Key.Text == strings.TrimSuffix(name, ":") {
			return p.Value.Pos
		}
	}
	return c.Pos
}

// sameKind reports whether a value can stand where the default does. Null stands
// for nothing, and where a default is null anything may.
func sameKind(want, got any) bool {
	if want == nil || got == nil {
		return true
	}
	switch want.(type) {
	case bool:
		_, ok := got.(bool)
		return ok
	case int64, float64, int:
		switch got.(type) {
		case int64, float64:
			return true
		}
		return false
	case string:
		switch got.(type) {
		case string, bool:
			return true
		}
		return false
	default:
		return true // lists and maps come in several shapes; components check them
	}
}

func kindOf(v any) string {
	switch v.(type) {
	case bool:
		return "true or false"
	case int64, float64, int:
		return "a number"
	default:
		return "a string"
	}
}

func (v validator) priorities(policies []*component) {
	seen := map[string]*component{}
	for _, c := range policies {
		priority := c.typ.Defaults["priority"]
		if p, ok := c.config["priority"]; ok {
			priority = p
		}
		if priority == nil {
			continue
		}
		key := fmt.Sprint(priority)
		if other := seen[key]; other != nil {
			v.problems.Warnf(c.Pos, "same-priority", "give one another priority", "%s and %s have the same priority %s; the first wins where both are sure", other.typ.Name, c.typ.Name, key)
		}
		seen[key] = c
	}
}

// CheckBuilt reports every component of the graphs that this binary can't run,
// with what there is instead.
func CheckBuilt(g *Graphs, types graph.Types, problems *diag.List) {
	seen := map[string]bool{}
	for _, s := range []graph.Schema{g.Train, g.Predict} {
		for _, n := range s.Nodes {
			t := types[n.Uses]
			if t == nil || t.Build != nil || len(t.Kinds) == 0 {
				continue // nodes that no configuration names belong to what it does name
			}
			pos := g.Origin[n.Name]
			key := n.Uses + pos.String()
			if seen[key] {
				continue
			}
			seen[key] = true
			problems.Errorf(pos, "not-built", instead(t, types), "the component %q is not built yet", n.Uses)
		}
	}
}

// instead tells what there is of the kind of a component that is not built.
func instead(t *graph.Type, types graph.Types) string {
	var ready []string
	for name, other := range types {
		sameKind := func(k graph.Kind) bool {
			return slices.Contains(t.Kinds, k) || isPolicyKind(k) && slices.ContainsFunc(t.Kinds, isPolicyKind)
		}
		if other.Build != nil && slices.ContainsFunc(other.Kinds, sameKind) {
			ready = append(ready, name)
		}
	}
	slices.Sort(ready)
	hint := "of its kind there are: " + strings.Join(ready, ", ")
	switch nearest := Nearest(t.Name); {
	case len(ready) == 0:
		return "nothing of its kind is built; take it out of the configuration"
	case nearest != "":
		return fmt.Sprintf("nearest is %s; %s", nearest, hint)
	default:
		return hint
	}
}

func isPolicyKind(k graph.Kind) bool { return k == graph.Policy || k == graph.PolicyEndToEnd }
