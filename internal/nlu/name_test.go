package nlu_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/nlu"
)

func TestWordsOfNames(t *testing.T) {
	for name, want := range map[string]string{
		"book_flight":       "book flight",
		"faq/ask-Name":      "faq ask name",
		"BookRestaurant2GO": "book restaurant2go",
		"تحية_صباح":         "تحية صباح",
		"नमस्ते_दोस्त":      "नमस्ते दोस्त",
		"__":                "",
	} {
		if got := nlu.NameWords(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}
