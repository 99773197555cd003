package validate

import (
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// intents compares the domain's intents with those of examples and stories.
func (c *checker) intents() {
	examples, stories := map[string]bool{}, map[string]bool{}
	for _, e := range c.NLU.Examples {
		examples[e.Intent] = true
		if e.Intent != "" && !c.Domain.HasIntent(e.Intent) && c.HasDomain {
			c.unlisted(e)
		}
	}
	for _, b := range c.Stories.Blocks {
		for _, e := range b.Events {
			if user, ok := e.Event.(*tracker.UserUttered); ok {
				stories[user.Intent] = true
			}
		}
	}
	for _, i := range c.Domain.Intents {
		if slices.Contains(domain.DefaultIntents, i.Name) {
			continue
		}
		if !examples[i.Name] {
			c.problems.Warnf(i.Pos, "intent-without-examples", "add examples to the NLU data, or remove the intent", "intent %q has no examples in the NLU data", i.Name)
		}
		if !stories[i.Name] {
			c.problems.Warnf(i.Pos, "unused-intent", "", "intent %q is not used in any story or rule", i.Name)
		}
	}
}

// unlisted warns once for each intent that only NLU data knows.
func (c *checker) unlisted(e nludata.Example) {
	if first := slices.IndexFunc(c.NLU.Examples, func(x nludata.Example) bool { return x.Intent == e.Intent }); c.NLU.Examples[first].Pos != e.Pos {
		return
	}
	hint := diag.DidYouMean(e.Intent, c.Domain.IntentNames())
	if hint == "" {
		hint = "add it below intents: of the domain"
	}
	c.problems.Warnf(e.Pos, "unlisted-intent", hint, "the NLU data has examples of intent %q, which the domain does not list", e.Intent)
}

// offsets warns about annotations that begin or end inside of a word: tokens are
// whole words, so that nothing can be learned from the rest.
func (c *checker) offsets() {
	for _, e := range c.NLU.Examples {
		if len(e.Entities) == 0 {
			continue
		}
		text := []rune(e.Text)
		insideWord := func(at int) bool {
			return at > 0 && at < len(text) && isWord(text[at-1]) && isWord(text[at])
		}
		for _, entity := range e.Entities {
			if insideWord(entity.Start) || insideWord(entity.End) {
				c.problems.Warnf(e.Pos, "entity-offsets", "put a space around it, or annotate whole words",
					"the entity %q in %q begins or ends inside of a word", string(text[entity.Start:entity.End]), e.Text)
			}
		}
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// examples warns about texts that stand under several intents.
func (c *checker) examples() {
	type use struct {
		intents []string
		first   nludata.Example
		other   diag.Position
	}
	uses := map[string]*use{}
	var inOrder []*use
	for _, e := range c.NLU.Examples {
		if e.Intent == "" {
			continue
		}
		u := uses[e.Text]
		if u == nil {
			u = &use{first: e}
			uses[e.Text] = u
			inOrder = append(inOrder, u)
		}
		if !slices.Contains(u.intents, e.Intent) {
			u.intents = append(u.intents, e.Intent)
			u.other = e.Pos
		}
	}
	for _, u := range inOrder {
		if len(u.intents) < 2 {
			continue
		}
		slices.Sort(u.intents)
		c.problems.Warnf(u.other, "ambiguous-example", "keep it under one of them; the first one is at "+u.first.Pos.String(),
			"the example %q has several intents: %s", u.first.Text, strings.Join(u.intents, ", "))
	}
}

// fewExamples warns about intents and entities with a single example, as Rasa
// does while it trains: what is learned from one can't be told from chance.
func (c *checker) fewExamples() {
	type use struct {
		count int
		first diag.Position
	}
	intents, entities := map[string]*use{}, map[string]*use{}
	note := func(uses map[string]*use, name string, e nludata.Example) {
		if uses[name] == nil {
			uses[name] = &use{first: e.Pos}
		}
		uses[name].count++
	}
	for _, e := range c.NLU.Examples {
		if e.Intent != "" {
			note(intents, e.Intent, e)
		}
		for _, entity := range e.Entities {
			note(entities, entity.Entity, e)
		}
	}
	warn := func(what string, uses map[string]*use) {
		for _, name := range slices.Sorted(maps.Keys(uses)) {
			if u := uses[name]; u.count == 1 {
				c.problems.Warnf(u.first, "few-examples", "two are the least, ten are a start", "%s %q has only one example", what, name)
			}
		}
	}
	warn("intent", intents)
	warn("entity", entities)
}
