package nlu_test

import (
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// plainTokens splits at spaces and drops commas, which is all that the recorded
// sentences need.
func plainTokens(text string) []nlu.Token {
	var out []nlu.Token
	at := 0
	for _, word := range strings.SplitAfter(text, " ") {
		w := strings.TrimRight(word, ", ")
		if w != "" {
			out = append(out, nlu.Token{Text: w, Start: at, End: at + utf8.RuneCountInString(w)})
		}
		at += utf8.RuneCountInString(word)
	}
	return out
}
