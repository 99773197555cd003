package main

import (
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/nludata"
)

// What the pipeline of "loquat init", which has the sentence encoder, is held to.
var (
	meaningBounds     = []bound{{"banking77", "≥ 94.0 (94.5) %"}, {"hwu64", "≥ 91.4 (92.3) %"}, {"clinc150", "≥ 96.2 (97.0) %"}}
	meaningShotBounds = []bound{{"banking77", "≥ 84.5 (87.0) %"}, {"hwu64", "≥ 81.5 (84.0) %"}, {"clinc150", "≥ 84.5 (88.0) %"}}
)

// meaning measures the pipeline with the encoder, on the first ten examples of each
// intent and on all.
func (b *nluBench) meaning(ctx context.Context) error {
	for _, bound := range meaningShotBounds {
		part, err := b.firstShots(bound.set)
		if err != nil {
			return err
		}
		s, err := measure(ctx, part, true)
		if err != nil {
			return fmt.Errorf("%s: %w", bound.set, err)
		}
		b.row(fmt.Sprintf("with the encoder: intents, %s, first %d examples each", bound.set, shots), bound.must, "%.2f %%", s.accuracy())
	}
	for _, bound := range meaningBounds {
		set, err := readSet(b.dir, bound.set)
		if err != nil {
			return err
		}
		part := splits(set)[0]
		s, err := measure(ctx, part, true)
		if err != nil {
			return fmt.Errorf("%s: %w", bound.set, err)
		}
		b.row("with the encoder: intents, "+bound.set+", all examples", bound.must, "%.2f %%", s.accuracy())
		if _, ok := entityBounds[bound.set]; ok {
			b.row("with the encoder: entities, "+bound.set+" (F1 by token)", "≥ without", "%.2f", s.entityF1())
		}
		if len(s.outOfScope) > 0 {
			b.row("with the encoder: AUROC of the confidence, "+bound.set, "≥ 0.96 (0.975)", "%.4f", auroc(s.inScope, s.outOfScope))
		}
	}
	return nil
}

// firstShots reads a set of which the first ten examples of each intent are learned.
func (b *nluBench) firstShots(name string) (dataSet, error) {
	set, err := readSet(b.dir, name)
	if err != nil {
		return dataSet{}, err
	}
	part := dataSet{name: set.name, test: set.test}
	var rest []nludata.Example
	if part.train, rest = first(set.train, shots); *nluHoldOut {
		part.test = rest
	}
	return part, nil
}

// meaningEntities measures how well entities are found after the first ten examples of
// each intent, with the encoder and without.
func (b *nluBench) meaningEntities(ctx context.Context) error {
	for _, name := range []string{"hwu64", "snips"} {
		part, err := b.firstShots(name)
		if err != nil {
			return err
		}
		var f1 [2]float64
		for i, meaning := range []bool{false, true} {
			s, err := measure(ctx, part, meaning)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			f1[i] = s.entityF1()
		}
		b.row(fmt.Sprintf("with the encoder: entities, %s, first %d examples each (F1 by token)", name, shots), fmt.Sprintf("≥ %.2f (without)", f1[0]), "%.2f", f1[1])
	}
	return nil
}

// first takes the first n examples of each intent and returns the others too.
func first(examples []nludata.Example, n int) (taken, rest []nludata.Example) {
	count := map[string]int{}
	for _, e := range examples {
		if count[e.Intent]++; count[e.Intent] <= n {
			taken = append(taken, e)
		} else {
			rest = append(rest, e)
		}
	}
	return taken, rest
}
