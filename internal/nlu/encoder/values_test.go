package encoder

import (
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// tagged makes an example of words such as "new/B-city".
func tagged(text string) Example {
	m := &nlu.Message{}
	var gold []nlu.Tag
	for _, field := range strings.Fields(text) {
		word, tag, _ := strings.Cut(field, "/")
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word})
		gold = append(gold, nlu.ParseTag(tag))
	}
	return Example{Message: m, Gold: gold}
}

// known tells for each token of an example in how many ways it is part of a value.
func known(v *values, e Example) []int {
	var s TokenScratch
	s.words.read(e.Message.Tokens[nlu.Text])
	v.find(&s.words, s.words.spans(e.Gold, nil), &s)
	var out []int
	for i := range s.words.list {
		out = append(out, len(s.known[i]))
	}
	return out
}

func TestAnExampleDoesNotSeeItsOwnAnnotations(t *testing.T) {
	var v values
	var s TokenScratch
	once, twice := tagged("to new/B-city york/L-city"), tagged("in rome/U-city")
	v.learn([]Example{once, twice, tagged("rome/U-city please")}, &s)
	for _, c := range []struct {
		name string
		of   Example
		want []int
	}{
		{"annotated here alone", once, []int{0, 0, 0}},
		{"annotated elsewhere too", twice, []int{0, 1}},
		{"at prediction", tagged("New York and Rome"), []int{2, 2, 0, 1}}, // place and being one of several words
		{"a part is no value", tagged("york is new"), []int{0, 0, 0}},
		{"annotated as something else", tagged("rome/U-name"), []int{1}},
	} {
		if got := known(&v, c.of); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestSpansOfTags(t *testing.T) {
	for text, want := range map[string]int{
		"a/B-x b/L-x c/B-x d/L-x":      2,
		"a/x b/x c/y":                  2,
		"a/U-x b/U-x":                  2,
		"a b":                          0,
		"a/x b/x c/x d/x e/x f/x g/x":  0, // too long
		"a/B-x b/I-x c/L-x d/O e/U-x ": 2,
	} {
		e := tagged(text)
		var w words
		w.read(e.Message.Tokens[nlu.Text])
		if got := w.spans(e.Gold, nil); len(got) != want {
			t.Errorf("%q: %d values, want %d", text, len(got), want)
		}
	}
}

func TestValuesAreKept(t *testing.T) {
	var v values
	var s TokenScratch
	v.learn([]Example{tagged("to new/B-city york/L-city"), tagged("rome/U-city"), tagged("rome/U-name")}, &s)
	w := weights.NewWriter("test", 1)
	v.write(w)
	r := weights.NewReader(w.Bytes(), "test", 1)
	back := readValues(r)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	text := tagged("from rome to new york")
	if got, want := known(&back, text), known(&v, text); !slices.Equal(got, want) || want[1] != 2 {
		t.Errorf("%v, before %v", got, want)
	}
	// Fine-tuning keeps what the new examples don't have.
	back.learn([]Example{tagged("oslo/U-city")}, &s)
	if got := known(&back, tagged("rome oslo")); !slices.Equal(got, []int{2, 1}) {
		t.Errorf("after more examples: %v", got)
	}
}
