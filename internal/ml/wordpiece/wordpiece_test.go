package wordpiece

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// vocabulary is small: pieces are numbered in this order.
const vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nuna\ncafe\n,\n中\n-\n##é\nCaf\n한\nᄒ\n##ᅡ\n##ᆫ\nx\n##y\n"

var uncased = Options{Lowercase: true, StripAccents: true, SplitHan: true}

func tokenizer(t testing.TB, options Options) *Tokenizer {
	t.Helper()
	tokenizer, err := New(vocabulary, options)
	if err != nil {
		t.Fatal(err)
	}
	return tokenizer
}

// cut gives the pieces as they stand in the vocabulary and the parts of the text
// that they stand for, without [CLS] and [SEP].
func cut(t testing.TB, tokenizer *Tokenizer, text string) (pieces, parts []string) {
	t.Helper()
	lines := strings.Split(vocabulary, "\n")
	all, _ := tokenizer.Append(nil, text, 256)
	if lines[all[0].ID] != "[CLS]" || lines[all[len(all)-1].ID] != "[SEP]" {
		t.Errorf("%q is not between [CLS] and [SEP]: %v", text, all)
	}
	for _, p := range all[1 : len(all)-1] {
		pieces = append(pieces, lines[p.ID])
		parts = append(parts, text[p.Start:p.End])
	}
	return pieces, parts
}

func TestPieces(t *testing.T) {
	cased := Options{SplitHan: true}
	for _, c := range []struct {
		text          string
		options       Options
		pieces, parts string
	}{
		{"", uncased, "", ""},
		{"unaffable", uncased, "[UNK]", "unaffable"}, // "una" is longer than "un", and nothing continues it
		{"un affable", uncased, "un [UNK]", "un affable"},
		{"  CAFÉ,\tcafe\u0301 ", uncased, "cafe , cafe", "CAFÉ , cafe"},
		{"Café", cased, "Caf ##é", "Caf é"},
		{"café", cased, "[UNK]", "café"},
		{"un中un", uncased, "un 中 un", "un 中 un"},
		{"un中un", Options{Lowercase: true}, "[UNK]", "un中un"},
		{"X\u200bY\x00", uncased, "x ##y", "X Y"},
		{"un[MASK]un", uncased, "un [MASK] un", "un [MASK] un"},
		{"한", uncased, "ᄒ ##ᅡ ##ᆫ", "한 한 한"},
		{"\xffun\xff", uncased, "un", "un"},
	} {
		pieces, parts := cut(t, tokenizer(t, c.options), c.text)
		if got := strings.Join(pieces, " "); got != c.pieces {
			t.Errorf("%q (%+v) is cut into %q, want %q", c.text, c.options, got, c.pieces)
		}
		if got := strings.Join(parts, " "); got != c.parts {
			t.Errorf("%q (%+v): the pieces stand for %q, want %q", c.text, c.options, got, c.parts)
		}
	}
}

func TestLongWordsAreUnknown(t *testing.T) {
	tokenizer := tokenizer(t, uncased)
	for n, want := range map[int]string{100: "x", 101: "[UNK]"} {
		pieces, parts := cut(t, tokenizer, "x"+strings.Repeat("y", n-1))
		if pieces[0] != want || len(strings.Join(parts, "")) != n {
			t.Errorf("a word of %d characters: %v for %v, want %s first", n, pieces, parts, want)
		}
	}
}

func TestLimit(t *testing.T) {
	tokenizer := tokenizer(t, uncased)
	for _, c := range []struct {
		text string
		ids  []int32
		cut  bool
	}{
		{"un un", []int32{2, 5, 5, 3}, false},
		{"un un un", []int32{2, 5, 5, 3}, true},
		{"un xyy", []int32{2, 5, 19, 3}, true},
		// What makes the word unknown comes after what is cut off.
		{"un xyyz", []int32{2, 5, 1, 3}, false},
		{"un un [MASK]", []int32{2, 5, 5, 3}, true},
		{"un un   ", []int32{2, 5, 5, 3}, false},
	} {
		pieces, cut := tokenizer.Append(nil, c.text, 4)
		var ids []int32
		for _, p := range pieces {
			ids = append(ids, p.ID)
		}
		if !slices.Equal(ids, c.ids) || cut != c.cut {
			t.Errorf("%q is cut into %v, cut off: %v; want %v, %v", c.text, ids, cut, c.ids, c.cut)
		}
	}
}

func TestVocabularyMustHaveTheSpecialPieces(t *testing.T) {
	for _, bad := range []string{"", "[CLS]\n[SEP]\n", "[CLS]\n[SEP]\n[UNK]\n\xff\n"} {
		if _, err := New(bad, uncased); err == nil {
			t.Errorf("the vocabulary %q was accepted", bad)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	tokenizer := tokenizer(t, uncased)
	to := make([]Piece, 0, 256)
	if n := testing.AllocsPerRun(10, func() { tokenizer.Append(to, "Un café, 한 un中[MASK] xyz", 256) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzAppend(f *testing.F) {
	for _, text := range []string{"", "unaffable café", "[MASK][CL", "한국 中文\xff", "x\u0301\u0301", strings.Repeat("y", 300)} {
		f.Add(text, byte(8), byte(7))
	}
	f.Fuzz(func(t *testing.T, text string, limit, options byte) {
		tokenizer := tokenizer(t, Options{Lowercase: options&1 != 0, StripAccents: options&2 != 0, SplitHan: options&4 != 0})
		limit = max(limit, 2)
		start := time.Now()
		pieces, cut := tokenizer.Append(nil, text, int(limit))
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%d bytes took %v", len(text), took)
		}
		if len(pieces) < 2 || len(pieces) > int(limit) || cut && len(pieces) != int(limit) {
			t.Fatalf("%d pieces of at most %d, cut off: %v", len(pieces), limit, cut)
		}
		last := int32(0)
		for _, p := range pieces {
			if p.Start > p.End || p.Start < 0 || int(p.End) > len(text) || p.Start < last {
				t.Fatalf("a piece at %d..%d after one at %d of %d bytes", p.Start, p.End, last, len(text))
			}
			last = p.Start
			if utf8.ValidString(text) && !utf8.ValidString(text[p.Start:p.End]) {
				t.Fatalf("a piece %q cuts a character", text[p.Start:p.End])
			}
		}
	})
}
