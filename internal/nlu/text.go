package nlu

import (
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// CleanText replaces each byte that is not part of valid UTF-8 by U+FFFD, so that
// bytes and code points can be converted into each other ever after.
func CleanText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// MessageText is the text of a user's message as components see it, and as offsets
// count: clean, and without white space around it.
func MessageText(s string) string { return pystr.Strip(CleanText(s)) }

// LongestText is how many code points of a user's text are understood. Time and
// memory grow with a text: one of 4 MiB, which channels let through, would take
// gigabytes.
const LongestText = 100_000

// Beginning returns as much of a text as is understood.
func Beginning(text string) string {
	if len(text) <= LongestText {
		return text
	}
	n := 0
	for at := range text {
		if n == LongestText {
			return text[:at]
		}
		n++
	}
	return text
}
