package textmodel

import (
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/nlu"
)

func TestWordsOfNames(t *testing.T) {
	for name, want := range map[string][]string{
		"book_flight":       {"book", "flight"},
		"faq/ask-Name":      {"faq", "ask", "name"},
		"BookRestaurant2GO": {"book", "restaurant2go"},
		"تحية_صباح":         {"تحية", "صباح"},
		"नमस्ते_दोस्त":      {"नमस्ते", "दोस्त"},
		"__":                nil,
	} {
		if got := nameWords(name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOnlyLabelsWithFewExamplesLearnFromTheirNames(t *testing.T) {
	labels := slices.Repeat([]string{"book_flight"}, fewExamples+1)
	labels = append(labels, "say_hello", "say_hello", "__")
	messages := make([]*nlu.Message, len(labels))
	more, all := withNames(messages, labels)
	if len(more) != len(all) || !slices.Equal(all[len(labels):], []string{"say_hello"}) {
		t.Fatalf("added %q", all[len(labels):])
	}
	if tokens := more[len(labels)].Tokens[nlu.Text]; len(tokens) != 2 || tokens[1].Text != "hello" {
		t.Errorf("tokens %v", tokens)
	}
}
