// Package statevector turns the states of a conversation into sparse vectors that
// policies learn from.
package statevector

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Farthest is how many of the newest states count at most.
const Farthest = 20

const (
	decay = 0.8 // what a state, or a turn, counts less than the one after it
	turns = 3   // turns of the user that count wherever they stand, besides the last
)

// Vector is a conversation as a sparse vector, in four views:
//
//   - places: what each state holds (action before, intent, entities, loop,
//     slots), by its distance from the newest;
//   - pairs of what the newest state holds;
//   - seen: what any earlier state holds;
//   - turns: what the user said last, before that, and so on, and which actions
//     followed the last message.
//
// What is farther back counts less. The zero value is ready, for one conversation
// after the other.
type Vector struct {
	Index []int32   // columns, ascending
	Value []float32 // in (0, 1], at the same places

	parts, newest []part
	found         []part
	columns       []column
}

// part is a hashed statement about a conversation, and how far it holds.
type part struct {
	hash  uint64
	value float32
}

// column is a part that has a column.
type column struct {
	index int32
	value float32
}

var (
	seedPlace  = vocab.Seed("place")
	seedPair   = vocab.Seed("pair")
	seedSeen   = vocab.Seed("seen")
	seedTurn   = vocab.Seed("turn")
	seedAnswer = vocab.Seed("answer")

	seedAction = vocab.Seed("action")
	seedIntent = vocab.Seed("intent")
	seedEntity = vocab.Seed("entity")
	seedLoop   = vocab.Seed("loop")
	seedSlot   = vocab.Seed("slot")
)

// Encode makes the vector of a conversation, whose newest state is the last.
// numberOf gives the column of a hashed part; a negative one leaves the part out.
func (v *Vector) Encode(states []dialogue.State, numberOf func(hash uint64) int32) {
	v.found, v.newest = v.found[:0], v.newest[:0]
	weight := float32(1)
	for back := range min(len(states), Farthest) {
		v.split(&states[len(states)-1-back])
		for _, p := range v.parts {
			v.add(join(vocab.Int(seedPlace, back), p.hash), p.value*weight)
			if back > 0 {
				v.add(join(seedSeen, p.hash), p.value*weight/2)
			}
		}
		if back == 0 {
			v.newest = append(v.newest[:0], v.parts...)
		}
		weight *= decay
	}
	for i, a := range v.newest {
		for _, b := range v.newest[i+1:] {
			v.add(join(join(seedPair, a.hash), b.hash), a.value*b.value)
		}
	}
	v.turns(states)
	v.number(numberOf)
}

func (v *Vector) add(hash uint64, value float32) {
	v.found = append(v.found, part{hash, value})
}

// turns adds the newest messages of the user and the actions since the last one.
func (v *Vector) turns(states []dialogue.State) {
	answer, turn, weight := seedAnswer, 0, float32(1)
	for back := range min(len(states), Farthest) {
		s := &states[len(states)-1-back]
		if s.Action != tracker.ListenAction {
			if turn == 0 {
				answer = join(answer, of(seedAction, actionOf(s)))
			}
			continue
		}
		intent := of(seedIntent, s.Intent)
		if turn == 0 {
			v.add(answer, 1)
			v.add(join(answer, intent), 1)
		}
		said := vocab.Int(seedTurn, turn)
		v.add(join(said, intent), weight)
		for _, e := range s.Entities {
			v.add(join(said, of(seedEntity, e)), weight)
		}
		if turn++; turn > turns {
			return
		}
		weight *= decay
	}
}

// split takes a state apart. As in Rasa 3.6, what the user said counts only right
// after it was said.
func (v *Vector) split(s *dialogue.State) {
	v.parts = append(v.parts[:0], part{of(seedAction, actionOf(s)), 1})
	add := func(hash uint64, value float32) { v.parts = append(v.parts, part{hash, value}) }
	if s.Action == tracker.ListenAction {
		if s.Intent != "" {
			add(of(seedIntent, s.Intent), 1)
		}
		for _, e := range s.Entities {
			add(of(seedEntity, e), 1)
		}
	}
	if s.Loop != "" {
		add(of(seedLoop, s.Loop), 1)
	}
	for _, slot := range s.Slots {
		i := 0
		for number := range strings.SplitSeq(strings.Trim(slot.Features, "[]"), ", ") {
			if v, err := strconv.ParseFloat(number, 32); err == nil && v != 0 {
				add(join(of(seedSlot, slot.Name), uint64(i)), float32(v))
			}
			i++
		}
	}
}

func actionOf(s *dialogue.State) string { return cmp.Or(s.Action, s.ActionText) }

func of(seed uint64, name string) uint64 { return vocab.Mix(vocab.String(seed, name)) }

func join(a, b uint64) uint64 { return vocab.Mix(a*31 + b) }

// number sorts the parts by column. A part that was found several times counts
// once, with its highest value.
func (v *Vector) number(numberOf func(hash uint64) int32) {
	v.columns = v.columns[:0]
	for _, p := range v.found {
		if n := numberOf(p.hash); n >= 0 {
			v.columns = append(v.columns, column{n, p.value})
		}
	}
	slices.SortFunc(v.columns, func(a, b column) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(b.value, a.value))
	})
	v.Index, v.Value = v.Index[:0], v.Value[:0]
	for i, c := range v.columns {
		if i == 0 || c.index != v.columns[i-1].index {
			v.Index, v.Value = append(v.Index, c.index), append(v.Value, c.value)
		}
	}
}

// Reach is how many of the newest states count for a policy with a max_history, of
// which 0 stands for all.
func Reach(maxHistory int) int {
	if maxHistory <= 0 {
		return Farthest
	}
	return min(maxHistory, Farthest)
}

// Recent cuts a list of states to those that count.
func Recent(states []dialogue.State, maxHistory int) []dialogue.State {
	return states[max(0, len(states)-Reach(maxHistory)):]
}
