package textmodel

import (
	"strings"
	"unicode"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// fewExamples is how many examples a label may have for its name to count as one
// more. Names tell something that a few examples don't; beside many they are noise.
const fewExamples = 30

// withNames adds an example for each label that has few: the words of its name.
// Rasa's DIET learns from names too. The lists that were given stay as they are.
func withNames(messages []*nlu.Message, labels []string) ([]*nlu.Message, []string) {
	examples := map[string]int{}
	for _, label := range labels {
		examples[label]++
	}
	messages, labels = messages[:len(messages):len(messages)], labels[:len(labels):len(labels)]
	for _, label := range labels {
		if n := examples[label]; n == 0 || n > fewExamples {
			continue
		}
		examples[label] = 0 // once
		m := &nlu.Message{}
		for _, word := range nameWords(label) {
			m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word})
		}
		if len(m.Tokens[nlu.Text]) > 0 {
			messages, labels = append(messages, m), append(labels, label)
		}
	}
	return messages, labels
}

// nameWords splits "book_flight", "faq/book-flight" and "BookFlight" into words.
func nameWords(name string) []string {
	var spaced strings.Builder
	last := ' '
	for _, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) {
			spaced.WriteByte(' ')
		}
		spaced.WriteRune(unicode.ToLower(r))
		last = r
	}
	return strings.FieldsFunc(spaced.String(), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
}
