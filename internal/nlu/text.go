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
