package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/nludata"
)

// The templates that texts of any number are made of; a name in braces is an
// entity with one of a thousand values.
var templates = map[string][]string{
	"book_flight":  {"book a flight to {city}", "i want to fly from {city} to {city} on {day}", "get me on a plane to {city}"},
	"weather":      {"what is the weather in {city}", "will it rain in {city} on {day}", "do i need a coat in {city}"},
	"play_music":   {"play something by {artist}", "put on the new album of {artist} please", "i would like to hear {artist}"},
	"set_alarm":    {"wake me up at {time}", "set an alarm for {time} on {day}", "i have to get up at {time}"},
	"send_money":   {"send {amount} to {person}", "transfer {amount} from my account to {person}", "pay {person} {amount}"},
	"balance":      {"how much money do i have", "what is left on my account on {day}", "show me my balance"},
	"call":         {"call {person}", "get {person} on the phone at {time}", "ring {person} for me"},
	"order_food":   {"order {amount} pizzas to {city}", "i am hungry bring me something at {time}", "deliver food for {person}"},
	"reservation":  {"reserve a table in {city} at {time}", "a table for {amount} people on {day}", "book dinner with {person}"},
	"small_talk":   {"how are you today", "tell me a joke about {person}", "are you a bot"},
	"cancel_order": {"cancel the order of {day}", "i do not want the thing for {person} any more", "stop my delivery to {city}"},
	"news":         {"what happened in {city} on {day}", "any news about {artist}", "read me the headlines of {day}"},
}

// synthesize makes n examples of the templates, always the same.
func synthesize(n int) []nludata.Example {
	r := rand.New(rand.NewPCG(7, 7))
	intents := make([]string, 0, len(templates))
	for intent := range templates {
		intents = append(intents, intent)
	}
	slices.Sort(intents)
	out := make([]nludata.Example, n)
	for i := range out {
		intent := intents[i%len(intents)]
		out[i] = fill(templates[intent][r.IntN(len(templates[intent]))], r)
		out[i].Intent = intent
	}
	return out
}

// fill puts values into a template.
func fill(template string, r *rand.Rand) nludata.Example {
	var e nludata.Example
	for {
		before, rest, found := strings.Cut(template, "{")
		e.Text += before
		if !found {
			return e
		}
		name, after, _ := strings.Cut(rest, "}")
		value := fmt.Sprintf("%s%s%s", syllables[r.IntN(10)], syllables[r.IntN(10)], syllables[r.IntN(10)])
		e.Entities = append(e.Entities, nludata.Entity{Entity: name, Value: value, Start: len(e.Text), End: len(e.Text) + len(value)})
		e.Text += value
		template = after
	}
}

var syllables = []string{"ba", "do", "lin", "mar", "ne", "ro", "sto", "ti", "va", "zu"}

// scaling trains on ever more examples. A hundred times as many may take a
// hundred and fifty times as long.
func (b *nluBench) scaling(ctx context.Context) error {
	sizes := []int{1_000, 10_000, 100_000}
	var perExample, median []float64
	for i, n := range sizes {
		examples := synthesize(n)
		var best time.Duration
		for range []int{3, 1, 1}[i] { // a short time is best taken more than once
			runtime.GC()
			started := time.Now()
			p, err := trainPipeline(ctx, examples, *nluClassifier, false, slog.New(slog.DiscardHandler))
			if err != nil {
				return err
			}
			if took := time.Since(started); best == 0 || took < best {
				best = took
			}
			if len(median) > i {
				continue
			}
			var times []time.Duration
			for _, e := range examples[:1_000] {
				began := time.Now()
				if _, err := p.parse(ctx, e.Text); err != nil {
					return err
				}
				times = append(times, time.Since(began))
			}
			slices.Sort(times)
			median = append(median, milliseconds(times[len(times)/2]))
		}
		perExample = append(perExample, milliseconds(best)/float64(n))
	}
	b.row("training, ms an example, 1,000 / 10,000 / 100,000 synthetic ones", "last ≤ 1.5 × first", "%.2f / %.2f / %.2f (%.2f ×)",
		perExample[0], perExample[1], perExample[2], perExample[2]/perExample[0])
	b.row("parse p50 after each", "independent", "%.3f / %.3f / %.3f ms", median[0], median[1], median[2])
	return nil
}
