package textmodel_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

// message has one dense sentence feature and the tokens of its text.
func message(text string, dense ...float32) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = []nlu.Token{{Text: text, End: len(text)}}
	m.Features = append(m.Features, nlu.Features{
		Attribute: nlu.Text, Level: nlu.Sentence, Origin: "sentence encoder", Dense: [][]float32{dense},
	})
	return m
}

// sparseProblem has a sparse sentence feature for each word.
func sparseProblem() (messages []*nlu.Message, labels []string) {
	messages, labels = denseProblem()
	for i, m := range messages {
		m.Features[0].Dense = nil
		m.Features[0].Sparse = &sparse.Matrix{Cols: len(messages), Start: []int32{0, 1}, Index: []int32{int32(i)}, Value: []float32{1}}
	}
	return messages, labels
}

// Words that all differ say nothing about the label here; the dense features do.
func denseProblem() (messages []*nlu.Message, labels []string) {
	for i := range 20 {
		messages = append(messages, message(fmt.Sprint("word", i), 10, 0, -3), message(fmt.Sprint("other", i), 0, 10, 3))
		labels = append(labels, "left", "right")
	}
	return messages, labels
}

func likeliest(m *textmodel.Model, message *nlu.Message) (string, float64) {
	var s textmodel.Scratch
	best := 0
	p := m.Probabilities(message, &s)
	for k := range p {
		if p[k] > p[best] {
			best = k
		}
	}
	return m.Labels[best], p[best]
}

func TestDenseFeaturesDecide(t *testing.T) {
	messages, labels := denseProblem()
	m, err := textmodel.Train(context.Background(), messages, labels, textmodel.Settings{Epochs: 50, Seed: 1, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	w := weights.NewWriter("test", 1)
	m.Write(w)
	r := weights.NewReader(w.Bytes(), "test", 1)
	read := textmodel.Read(r, nil)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*textmodel.Model{m, read} {
		for want, message := range map[string]*nlu.Message{
			"left":  message("unheard", 9, 1, -3),
			"right": message("unheard", 1, 9, 3),
		} {
			if got, p := likeliest(m, message); got != want || p < 0.8 {
				t.Errorf("%s with %v, want %s", got, p, want)
			}
		}
	}
}

func TestGoingOnWithMoreWords(t *testing.T) {
	messages, labels := sparseProblem()
	settings := textmodel.Settings{Epochs: 50, Seed: 1, Threads: 1}
	old, err := textmodel.Train(context.Background(), messages, labels, settings)
	if err != nil {
		t.Fatal(err)
	}
	more := []*nlu.Message{message("novel"), message("tale")}
	for i, m := range more {
		m.Features[0].Dense = nil
		m.Features[0].Sparse = &sparse.Matrix{Cols: 42, Start: []int32{0, 1}, Index: []int32{int32(40 + i)}, Value: []float32{1}}
	}
	messages, labels = append(messages, more...), append(labels, "left", "right")
	settings.Epochs = 1
	fresh, err := textmodel.Train(context.Background(), messages, labels, settings)
	if err != nil {
		t.Fatal(err)
	}
	settings.Start = old
	tuned, err := textmodel.Train(context.Background(), messages, labels, settings)
	if err != nil {
		t.Fatal(err)
	}
	if tuned.Loss >= fresh.Loss {
		t.Errorf("loss %v fine-tuned for one pass, %v from scratch", tuned.Loss, fresh.Loss)
	}
	if _, err := textmodel.Train(context.Background(), messages[:1], labels[:1], textmodel.Settings{Epochs: 1, Start: tuned}); err == nil {
		t.Error("fine-tuning without one of the labels is not refused")
	}
}

// The dense features of a label's name are one more example of it.
func TestNamesHaveMeaning(t *testing.T) {
	var messages []*nlu.Message
	var labels []string
	for i, label := range []string{"one", "two", "three"} {
		at := func(x float32) []float32 {
			v := make([]float32, 6)
			v[i], v[3+i] = 1-x, x
			return v
		}
		m := message("example "+label, at(0)...)
		m.Values[nlu.IntentLabel] = label
		name := m.Features[0]
		name.Attribute, name.Dense = nlu.IntentLabel, [][]float32{at(1)}
		m.Features = append(m.Features, name)
		messages, labels = append(messages, m, message("another "+label, at(0.01)...)), append(labels, label, label)
	}
	m, err := textmodel.Train(context.Background(), messages, labels, textmodel.Settings{Epochs: 10, Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := likeliest(m, message("unheard", 0, 0, 0, 0, 1, 0)); got != "two" {
		t.Errorf("what only the name of a label says is %s, want two", got)
	}
}

func TestPredictionAllocatesNothing(t *testing.T) {
	messages, labels := denseProblem()
	m, err := textmodel.Train(context.Background(), messages, labels, textmodel.Settings{Epochs: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var s textmodel.Scratch
	if n := testing.AllocsPerRun(20, func() { m.Probabilities(messages[0], &s) }); n > 0 {
		t.Errorf("%v allocations for each message", n)
	}
}

// Many examples get few passes; a share of them is fewer still.
func TestShareOfThePasses(t *testing.T) {
	messages, labels := sparseProblem()
	for _, c := range []struct {
		share float64
		want  int
	}{{0, 500}, {1, 500}, {0.5, 357}, {0.001, 1}} { // 40 examples and 2 names: 30,000 are 714 passes
		passes := 0
		_, err := textmodel.Train(context.Background(), messages, labels, textmodel.Settings{
			Epochs: 500, Share: c.share, Threads: 1, AfterPass: func(int, float64) { passes++ },
		})
		if err != nil {
			t.Fatal(err)
		}
		if passes != c.want {
			t.Errorf("a share of %v is %d passes, want %d", c.share, passes, c.want)
		}
	}
}

// BenchmarkTrain compares learning afresh with going on for a fifth of the
// epochs, as "train --finetune --epoch-fraction 0.2" does.
func BenchmarkTrain(b *testing.B) {
	var messages []*nlu.Message
	var labels []string
	for i := range 4000 {
		label := i % 40
		m := &nlu.Message{}
		for w := range 8 {
			word := fmt.Sprint("word", (i*7+w*w*13)%500)
			if w == i%8 {
				word = fmt.Sprint("topic", label)
			}
			m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word})
		}
		messages, labels = append(messages, m), append(labels, fmt.Sprintf("label%02d", label))
	}
	train := func(o textmodel.Settings) *textmodel.Model {
		o.Epochs, o.Threads = 100, 2
		m, err := textmodel.Train(context.Background(), messages, labels, o)
		if err != nil {
			b.Fatal(err)
		}
		return m
	}
	b.Run("afresh", func(b *testing.B) {
		for b.Loop() {
			train(textmodel.Settings{})
		}
	})
	b.Run("fine-tuned", func(b *testing.B) {
		start := train(textmodel.Settings{})
		for b.Loop() {
			start = train(textmodel.Settings{Start: start, Share: 0.2})
		}
	})
}
