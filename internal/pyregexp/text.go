package pyregexp

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Text is a text to be searched by any number of patterns, with what they share.
// It is not safe for concurrent use.
type Text struct {
	text  string
	ascii bool
	runes []rune

	// The last conversion from bytes to code points: matches come in order, so
	// each one continues from the one before.
	atByte, atRune int

	spent *time.Duration // by the backtracking engine, shared with all parts

	// Made when first needed, for Literals.
	plain, folded *view
	boundaries    []bool
}

// NewText prepares a text.
func NewText(s string) *Text {
	ascii := true
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	return &Text{text: s, ascii: ascii, spent: new(time.Duration)}
}

// Part prepares another text that is part of this one as far as the time limit
// of a text is concerned.
func (t *Text) Part(s string) *Text {
	part := NewText(s)
	part.spent = t.spent
	return part
}

// Runes returns the text's code points; they belong to the text.
func (t *Text) Runes() []rune {
	if t.runes == nil {
		t.runes = []rune(t.text)
	}
	return t.runes
}

// Cut returns the part of the text that s spans.
func (t *Text) Cut(s Span) string {
	if t.ascii {
		return t.text[s.Start:s.End]
	}
	return string(t.Runes()[s.Start:s.End])
}

func (t *Text) endsInNewline() bool { return strings.HasSuffix(t.text, "\n") }

// span converts a pair of byte offsets; a negative one is a group without match.
func (t *Text) span(from, to int) Span {
	if t.ascii || from < 0 {
		return Span{from, to}
	}
	return Span{t.runeOffset(from), t.runeOffset(to)}
}

func (t *Text) runeOffset(b int) int {
	if b < t.atByte {
		t.atByte, t.atRune = 0, 0
	}
	t.atRune += utf8.RuneCountInString(t.text[t.atByte:b])
	t.atByte = b
	return t.atRune
}
