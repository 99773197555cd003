package ted

import (
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/statevector"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/encoder"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// vector is the work space for one conversation after the other: the columns of
// the text that the user said last, and behind them those of the states.
type vector struct {
	states statevector.Vector
	text   encoder.TextScratch
	index  []int32
	value  []float32
}

// encode makes the vector of a conversation; numberOf gives the columns of what its
// states hold. known is how much the texts of the stories know of its text, from 0
// to 1; it is 1 without a text.
func (p *Policy) encode(v *vector, states []dialogue.State, texts dialogue.Texts, numberOf func(hash uint64) int32) (known float64) {
	v.index, v.value = v.index[:0], v.value[:0]
	known = 1
	if text := lastText(states); text != "" {
		known = p.encodeText(v, texts[text], states[len(states)-1].Action != tracker.ListenAction)
	}
	v.states.Encode(states, numberOf)
	for t, column := range v.states.Index {
		v.index = append(v.index, int32(p.textColumns())+column)
		v.value = append(v.value, v.states.Value[t])
	}
	return known
}

// textWeight is what a text counts beside what states hold. An intent counts several
// times: by itself, with the action before it, with what else the state holds.
const textWeight = 3

// encodeText adds the columns of a text and returns how much of it is known. What
// a text says about the answer to it says nothing about what comes after that
// answer: there are columns for the one and for the other.
func (p *Policy) encodeText(v *vector, m *nlu.Message, answered bool) (known float64) {
	if p.texts == nil || m == nil || !p.texts.Encode(m, p.config.Featurizers, &v.text) {
		return 0
	}
	v.text.Sort()
	first := int32(0)
	if answered {
		first = int32(p.texts.Len())
	}
	for i, column := range v.text.Index {
		v.index, v.value = append(v.index, first+column), append(v.value, textWeight*v.text.Value[i])
	}
	return min(1, math.Sqrt(squaredLength(v.text.Value)/p.textLength))
}

func (p *Policy) textColumns() int {
	if p.texts == nil {
		return 0
	}
	return 2 * p.texts.Len()
}

func squaredLength(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(v) * float64(v)
	}
	return sum
}

// lastText is what the user said last, where a state has it instead of an intent.
func lastText(states []dialogue.State) string {
	for _, s := range slices.Backward(states) {
		if s.Action == tracker.ListenAction {
			return s.Text
		}
	}
	return ""
}

// namesIntent reports whether a message before an example is told by its intent.
func namesIntent(e example) bool {
	return slices.ContainsFunc(e.states, func(s dialogue.State) bool { return s.Intent != "" })
}

// learnTexts learns to encode the texts that situations end with, if there are any.
func (p *Policy) learnTexts(examples []example, texts dialogue.Texts) error {
	var messages []*nlu.Message
	known := map[string]bool{}
	for _, e := range examples {
		text := lastText(e.states)
		if m := texts[text]; m != nil && !known[text] {
			known[text] = true
			messages = append(messages, m)
		}
	}
	if len(messages) == 0 {
		return nil
	}
	learned := encoder.NewText()
	if err := learned.Learn(messages, p.config.Featurizers); err != nil {
		return err
	}
	var s encoder.TextScratch
	sum := 0.0
	for _, m := range messages {
		learned.Encode(m, p.config.Featurizers, &s)
		sum += squaredLength(s.Value)
	}
	if sum > 0 {
		p.texts, p.textLength = learned, sum/float64(len(messages))
		p.textsAlone = !slices.ContainsFunc(examples, namesIntent)
	}
	return nil
}
