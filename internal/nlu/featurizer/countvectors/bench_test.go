package countvectors_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
)

func tokenized(text string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = whitespace.Split(text)
	return m
}

var configs = map[string]graph.Config{
	"word":    nil,
	"char_wb": {"analyzer": "char_wb", "min_ngram": int64(1), "max_ngram": int64(4)},
	"char":    {"analyzer": "char", "min_ngram": int64(1), "max_ngram": int64(3)},
	"bigrams": {"max_ngram": int64(2), "strip_accents": "unicode", "OOV_token": "oov", "OOV_words": []any{"zzz"}},
}

func trainedOn(t testing.TB, config graph.Config, texts ...string) *countvectors.Featurizer {
	c, err := countvectors.Type().Build(env(), config, nil)
	if err != nil {
		t.Fatal(err)
	}
	data := &nlu.TrainingData{}
	for _, s := range texts {
		data.Messages = append(data.Messages, tokenized(s))
	}
	f := c.(*countvectors.Featurizer)
	if err := f.Train(context.Background(), data); err != nil {
		t.Fatal(err)
	}
	return f
}

func BenchmarkProcess(b *testing.B) {
	texts := []string{"I'd like to book a table for 2 people at 19:30, please!"}
	for i := range 2000 {
		texts = append(texts, fmt.Sprintf("could you %x show me %x flights to number%x", i*7919, i*104729, i))
	}
	for _, name := range []string{"word", "char_wb"} {
		f := trainedOn(b, configs[name], texts...)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			m := tokenized(texts[0])
			messages := []*nlu.Message{m}
			for b.Loop() {
				m.Features = m.Features[:0]
				if err := f.Process(context.Background(), messages); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Whatever a text is, its matrices are well formed.
func FuzzProcess(f *testing.F) {
	featurizers := map[string]*countvectors.Featurizer{}
	for name, config := range configs {
		featurizers[name] = trainedOn(f, config, "hello wörld 42", "good bye oov", "naïve ﬁne e\u0301 ²", "a-b c")
	}
	for _, s := range []string{"hello 42", "", "ÀÉ 4x 4", "\xff\xfe", "İΣ ﬃ", "a\u0301b", "  "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, featurizer := range featurizers {
			m := tokenized(nlu.CleanText(s))
			if err := featurizer.Process(context.Background(), []*nlu.Message{m}); err != nil {
				t.Fatal(err)
			}
			if len(m.Features) != 2 {
				t.Fatalf("%s on %q: %d features", name, s, len(m.Features))
			}
			for i, rows := range []int{len(m.Tokens[nlu.Text]), 1} {
				x := m.Features[i].Sparse
				if x.Rows() != rows || len(x.Index) != len(x.Value) || int(x.Start[rows]) != len(x.Index) {
					t.Fatalf("%s on %q: %+v", name, s, x)
				}
				for r := range rows {
					index, value := x.Row(r)
					for j, c := range index {
						if c < 0 || int(c) >= x.Cols || value[j] < 1 || j > 0 && index[j-1] >= c {
							t.Fatalf("%s on %q: row %d has %v %v", name, s, r, index, value)
						}
					}
				}
			}
		}
	})
}

// What a message costs follows from its own n-grams: a vocabulary a hundred times
// as large costs it nothing, and twice the text costs twice the memory.
func TestMemoryGrowsWithNonZeros(t *testing.T) {
	const text = "I'd like to book a table for 2 people at 19:30, please! "
	for name, config := range configs {
		small, large := trainedOn(t, config, distinct(100, text)...), trainedOn(t, config, distinct(10_000, text)...)
		once, wide := allocated(t, small, text), allocated(t, large, text)
		if wide > once*5/4 {
			t.Errorf("%s: %d bytes with a small vocabulary, %d with a large one", name, once, wide)
		}
		if short, long := allocated(t, large, strings.Repeat(text, 20)), allocated(t, large, strings.Repeat(text, 40)); long > short*5/2 {
			t.Errorf("%s: %d bytes, %d for twice the text", name, short, long)
		}
	}
}

// distinct gives texts of which each has words of its own, and one more.
func distinct(n int, one string) []string {
	texts := []string{one}
	for i := range n {
		texts = append(texts, fmt.Sprintf("%x%x %x", i*7919, i*104729, i*i))
	}
	return texts
}

// allocated is how many bytes the features of a text take.
func allocated(t *testing.T, f *countvectors.Featurizer, text string) uint64 {
	m := tokenized(text)
	messages := []*nlu.Message{m}
	least := uint64(math.MaxUint64)
	for i := range 51 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		m.Features = nil
		if err := f.Process(context.Background(), messages); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if i > 0 { // the first fills buffers that are kept; the race detector makes pools forget them
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
	}
	return least
}

func BenchmarkVocabulary(b *testing.B) {
	const text = "I'd like to book a table for 2 people at 19:30, please!"
	for _, n := range []int{100, 10_000, 100_000} {
		f := trainedOn(b, configs["char_wb"], distinct(n, text)...)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			m := tokenized(text)
			messages := []*nlu.Message{m}
			for b.Loop() {
				m.Features = m.Features[:0]
				if err := f.Process(context.Background(), messages); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
