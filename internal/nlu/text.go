package nlu

import "unicode/utf8"

// CleanText replaces each byte that is not part of valid UTF-8 by U+FFFD, so that
// bytes and code points can be converted into each other ever after.
func CleanText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}
