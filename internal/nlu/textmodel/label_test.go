package textmodel

import (
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/nlu"
)

func TestOnlyLabelsWithFewExamplesLearnFromTheirNames(t *testing.T) {
	labels := slices.Repeat([]string{"book_flight"}, fewExamples+1)
	labels = append(labels, "say_hello", "say_hello", "__")
	messages := slices.Repeat([]*nlu.Message{{}}, len(labels))
	more, all := withNames(messages, labels)
	if len(more) != len(all) || !slices.Equal(all[len(labels):], []string{"say_hello"}) {
		t.Fatalf("added %q", all[len(labels):])
	}
	if tokens := more[len(labels)].Tokens[nlu.Text]; len(tokens) != 2 || tokens[1].Text != "hello" {
		t.Errorf("tokens %v", tokens)
	}
}
