package samplebots_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/bench/samplebots"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func TestCopiesNeedNothingElse(t *testing.T) {
	bots := sharedtest.Dir(t, "data", "bots")
	replacements := filepath.Join(sharedtest.ModuleRoot(t), "testdata", "conversations")
	want := map[string]int{"rasa-formbot": 3, "rasa-initial-project": 7, "rasa-gradio-bot": 8, "financial-demo": 48, "rasa-e2ebot": 4}
	for _, name := range samplebots.Names {
		dir := t.TempDir()
		if err := samplebots.Copy(dir, bots, replacements, name); err != nil {
			t.Fatal(err)
		}
		config, err := os.ReadFile(filepath.Join(dir, "config.yml"))
		if err != nil {
			t.Fatal(err)
		}
		for _, missing := range []string{"Spacy", "Duckling", "LanguageModelFeaturizer"} {
			if strings.Contains(string(config), missing) {
				t.Errorf("%s: the configuration names %s", name, missing)
			}
		}
		conversations, err := samplebots.Conversations(dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(conversations) != want[name] {
			t.Errorf("%s has %d conversations, want %d", name, len(conversations), want[name])
		}
		for _, c := range conversations {
			if len(c.Messages) == 0 || slices.Contains(c.Messages, "") {
				t.Errorf("%s: %s says %q", name, c.Name, c.Messages)
			}
		}
	}
}
