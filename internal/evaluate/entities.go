package evaluate

import (
	"maps"
	"slices"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// NoEntity is the label of a token outside of every entity.
const NoEntity = "no_entity"

// pretrained extractors know entities that training data does not annotate, so
// that they are not judged by it (Rasa 3.6).
var pretrained = []string{"DucklingEntityExtractor", "SpacyEntityExtractor"}

// Entities judges the entities that each extractor found, token by token. Without
// annotated entities there is nothing to judge; an extractor that found nothing at
// all gets no evaluation (Rasa 3.6).
func Entities(outcomes []Outcome) []*Evaluation {
	annotated := slices.ContainsFunc(outcomes, func(o Outcome) bool { return len(o.Example.Entities) > 0 })
	if !annotated {
		return nil
	}
	var out []*Evaluation
	for _, name := range extractorsOf(outcomes) {
		out = append(out, entitiesOf(name, outcomes))
	}
	return out
}

func extractorsOf(outcomes []Outcome) []string {
	found := map[string]bool{}
	for _, o := range outcomes {
		for i := range o.Entities {
			found[o.Entities[i].Extractor] = true
		}
	}
	delete(found, "")
	for _, name := range pretrained {
		delete(found, name)
	}
	return slices.Sorted(maps.Keys(found))
}

func entitiesOf(extractor string, outcomes []Outcome) *Evaluation {
	e := &Evaluation{Name: extractor, What: "Entity", Of: len(outcomes)}
	for i := range outcomes {
		o := &outcomes[i]
		if len(o.Example.Entities) > 0 {
			e.Count++
		}
		right, wrong := e.addTokens(o)
		if right {
			e.Successes = append(e.Successes, newEntityRecord(o))
		}
		if wrong {
			e.Errors = append(e.Errors, newEntityRecord(o))
		}
	}
	e.Report = NewReport(e.Pairs, NoEntity)
	return e
}

// addTokens compares the tokens of one example. right reports that a token of an
// entity is as annotated, wrong that a token isn't.
func (e *Evaluation) addTokens(o *Outcome) (right, wrong bool) {
	for _, t := range o.Tokens {
		target, predicted := NoEntity, NoEntity
		if a := covering(t, o.Example.Entities); a != nil {
			target = label(a.Entity, a.Role, a.Group)
		}
		found := foundBy(t, o.Entities, e.Name)
		if found != nil {
			predicted = label(found.Entity, found.Role, found.Group)
		}
		e.Pairs = append(e.Pairs, Pair{target, predicted})
		if target != predicted {
			wrong = true
		} else if target != NoEntity {
			right = true
		}
		switch {
		case found == nil || found.ConfidenceEntity == nil:
		case target == predicted:
			e.Right = append(e.Right, *found.ConfidenceEntity)
		default:
			e.Wrong = append(e.Wrong, *found.ConfidenceEntity)
		}
	}
	return right, wrong
}

// label is an entity's type with its group and role.
func label(entity, role, group string) string {
	for _, more := range []string{group, role} {
		if more != "" {
			entity += "." + more
		}
	}
	return entity
}

// covering is the annotation that covers most of a token, the first one among
// equals; nil if none touches it.
func covering(t nlu.Token, annotations []nludata.Entity) *nludata.Entity {
	var best *nludata.Entity
	most := 0
	for i := range annotations {
		if n := shared(t, annotations[i].Start, annotations[i].End); n > most {
			best, most = &annotations[i], n
		}
	}
	return best
}

// foundBy is the entity of one extractor that covers most of a token, the first
// one among equals.
func foundBy(t nlu.Token, entities []nlu.Entity, extractor string) *nlu.Entity {
	var best *nlu.Entity
	most := 0
	for i := range entities {
		if entities[i].Extractor != extractor {
			continue
		}
		if n := shared(t, entities[i].Start, entities[i].End); n > most {
			best, most = &entities[i], n
		}
	}
	return best
}

// shared is how many characters a token shares with a span.
func shared(t nlu.Token, start, end int) int { return min(t.End, end) - max(t.Start, start) }

// wordsOf splits a text at white space, for pipelines without a tokenizer.
func wordsOf(text string) []nlu.Token {
	var tokens []nlu.Token
	runes := []rune(text)
	for start := 0; start < len(runes); {
		if pystr.IsSpace(runes[start]) {
			start++
			continue
		}
		end := start
		for end < len(runes) && !pystr.IsSpace(runes[end]) {
			end++
		}
		tokens = append(tokens, nlu.Token{Text: string(runes[start:end]), Start: start, End: end})
		start = end
	}
	return tokens
}
