package textmodel

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// fewExamples is how many examples a label may have for its name to count as one
// more. Names tell something that a few examples don't; beside many they are noise.
const fewExamples = 30

// withNames adds an example for each label that has few: the words of its name,
// with the dense features of that where the pipeline has made them. Rasa's DIET
// learns from names too. The lists that were given stay as they are.
func withNames(messages []*nlu.Message, labels []string) ([]*nlu.Message, []string) {
	examples := map[string]int{}
	for _, label := range labels {
		examples[label]++
	}
	given := messages
	messages, labels = messages[:len(messages):len(messages)], labels[:len(labels):len(labels)]
	for i, label := range labels {
		if n := examples[label]; n == 0 || n > fewExamples {
			continue
		}
		examples[label] = 0 // once
		m := &nlu.Message{}
		for _, f := range given[i].Features {
			if f.Attribute != nlu.Text && f.Sparse == nil && given[i].Values[f.Attribute] == label {
				f.Attribute = nlu.Text
				m.Features = append(m.Features, f)
			}
		}
		for _, word := range strings.Fields(nlu.NameWords(label)) {
			m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: word})
		}
		if len(m.Tokens[nlu.Text]) > 0 {
			messages, labels = append(messages, m), append(labels, label)
		}
	}
	return messages, labels
}
