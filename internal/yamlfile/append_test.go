package yamlfile_test

import (
	"errors"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestAppendKeepsEverythingElse(t *testing.T) {
	for name, c := range map[string]struct{ file, key, addition, want string }{
		"no file":    {"", "stories", "- story: a\n", "stories:\n- story: a\n"},
		"no map yet": {"version: \"3.1\"\n", "responses", "utter_a:\n- text: a\n", "version: \"3.1\"\nresponses:\n  utter_a:\n  - text: a\n"},
		"no section": {"version: \"3.1\" # v\n", "stories", "- story: a\n", "version: \"3.1\" # v\nstories:\n- story: a\n"},
		"a list": {
			"# mine\nstories:\n  # first\n  - story: a  # x\n    steps: [{intent: b}]\n\n# rules\nrules:\n- rule: r\n", "stories", "- story: c\n  steps:\n  - action: d\n",
			"# mine\nstories:\n  # first\n  - story: a  # x\n    steps: [{intent: b}]\n  - story: c\n    steps:\n    - action: d\n\n# rules\nrules:\n- rule: r\n",
		},
		"no end of the last line":  {"intents:\n- a", "intents", "- b\n", "intents:\n- a\n- b\n"},
		"a map":                    {"responses:\n    utter_a:\n    - text: \"é\"\nslots: {}\n", "responses", "utter_b:\n- text: b\n", "responses:\n    utter_a:\n    - text: \"é\"\n    utter_b:\n    - text: b\nslots: {}\n"},
		"a list in brackets":       {"entities: [a, \"b\" ] # all\nx: 1\n", "entities", "- c\n- \"d e: f\"\n", "entities: [a, \"b\", c, \"d e: f\" ] # all\nx: 1\n"},
		"an empty list":            {"intents: [] # none yet\nx: 1\n", "intents", "- a\n", "intents: # none yet\n- a\nx: 1\n"},
		"nothing behind a key":     {"stories:\n", "stories", "- story: a\n", "stories:\n- story: a\n"},
		"a block at the end":       {"nlu:\n- intent: a\n  examples: |\n    - x\n    # no comment\n\n", "nlu", "- intent: b\n  examples: |\n    - y\n", "nlu:\n- intent: a\n  examples: |\n    - x\n    # no comment\n- intent: b\n  examples: |\n    - y\n"},
		"characters without print": {"a:\n- b\n", "a", "- \"\\u001B[A\"\n", "# “\\u” is kept as it stands\na:\n- b\n- \"\\u001B[A\"\n"},
		"the same beside others":   {"a:\n- é\n", "a", "- \"\\u001B[A\"\n", "a:\n- é\n- \"\\u001B[A\"\n"},
	} {
		got, err := yamlfile.Append([]byte(c.file), c.key, c.addition)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %v\n%s\nwant\n%s", name, err, got, c.want)
		}
	}
}

func TestAppendRefusesWhatItCantKeep(t *testing.T) {
	for name, c := range map[string][3]string{
		"no YAML":          {"a: [", "a", "- b\n"},
		"a list":           {"- a\n", "a", "- b\n"},
		"another kind":     {"intents: {a: 1}\n", "intents", "- b\n"},
		"a list of lines":  {"intents: [a,\n  b]\n", "intents", "- c\n"},
		"an alias":         {"x: &x [a]\nintents: *x\n", "intents", "- c\n"},
		"a key that is in": {"responses:\n  a: 1\n", "responses", "a: 2\n"},
	} {
		if got, err := yamlfile.Append([]byte(c[0]), c[1], c[2]); !errors.Is(err, yamlfile.ErrCantAppend) {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func FuzzAppend(f *testing.F) {
	f.Add("stories:\n- story: a\n  steps: []\n# x\nrules: []\n", "stories")
	f.Add("a: |\n  b\n  # c\n\nd: e", "a")
	f.Add("{a: [b]}", "a")
	f.Fuzz(func(t *testing.T, file, key string) {
		const addition = "- story: new\n"
		out, err := yamlfile.Append([]byte(file), key, addition)
		if err != nil {
			return
		}
		var problems diag.List
		items := yamlfile.Parse(out, "", &problems).Get(key).Items
		if problems.HasErrors() || len(items) == 0 || items[len(items)-1].Get("story").TextOrEmpty() != "new" {
			t.Errorf("%q: got %q", file, out)
		}
	})
}
