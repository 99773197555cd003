package nlu

import (
	"strings"
	"unicode"
)

// NameWords writes the name of an intent or response as the words that it is made
// of, in small letters: "book_flight", "faq/book-flight", "BookFlight".
func NameWords(name string) string {
	var spaced strings.Builder
	last := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.Join(strings.FieldsFunc(spaced.String(), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	}), " ")
}
