package project_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
)

// write makes a project of files in a new folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, dir string) (*project.Project, string) {
	t.Helper()
	var problems diag.List
	p := project.Load(dir, project.DefaultPaths(), &problems)
	return p, printed(&problems)
}

func TestRetrievalResponsesGoBothWays(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml": "recipe: default.v1\n",
		"domain.yml": "intents: [greet, {faq: {use_entities: []}}]\nresponses:\n  utter_faq/age:\n  - text: old enough\n",
		"data/nlu.yml": "nlu:\n- intent: faq/name\n  examples: |\n    - who are you\n- intent: faq/age\n  examples: |\n    - how old are you\n" +
			"responses:\n  utter_faq/name:\n  - text: a\n  - text: Loquat\n",
	})
	p, problems := load(t, dir)
	if problems != "" {
		t.Error(problems)
	}
	faq := p.Domain.Intent("faq")
	if !faq.Retrieval || !faq.UseNone || p.Domain.Responses["utter_faq/name"] == nil || !p.Domain.IsListedAction("utter_faq") {
		t.Errorf("domain: intent %+v, responses %v, actions %v", faq, p.Domain.Responses, p.Domain.Actions)
	}
	var labels []string
	for _, e := range p.NLU.Examples {
		labels = append(labels, e.Response)
	}
	if diff := cmp.Diff([]string{"Loquat", "old enough"}, labels); diff != "" {
		t.Error(diff)
	}
}

func TestBotTextsOfStoriesBecomeActions(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":       "recipe: default.v1\n",
		"domain.yml":       "intents: [greet]\n",
		"data/stories.yml": "stories:\n- story: s\n  steps:\n  - user: hi [there](place)\n  - bot: zwei\n  - bot: eins\n",
	})
	p, _ := load(t, dir)
	if diff := cmp.Diff([]string{"eins", "zwei"}, p.Domain.E2EActions); diff != "" {
		t.Error(diff)
	}
	names := p.Domain.ActionNames()
	if diff := cmp.Diff([]string{"eins", "zwei"}, names[len(names)-2:]); diff != "" {
		t.Error(diff)
	}
}

func TestImportsAreFollowed(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":            "recipe: default.v1\nimporters:\n- name: MultiProjectImporter\nimports:\n- skills/a\n- skills/missing\n",
		"domain.yml":            "intents: [greet]\n",
		"skills/a/config.yml":   "pipeline: not looked at\nimports: [../b]\n",
		"skills/a/domain.yml":   "intents: [a]\nresponses:\n  utter_a:\n  - text: a\n",
		"skills/b/config.yaml":  "imports: [../a]\n",
		"skills/b/data/nlu.yml": "nlu:\n- intent: b\n  examples: |\n    - bee\n",
		"skills/c/data/nlu.yml": "nlu:\n- intent: c\n  examples: |\n    - see\n",
	})
	p, problems := load(t, dir)
	if !strings.Contains(problems, `config.yml:6:3: warning: there is no file or folder "skills/missing" to import [missing-import]`) {
		t.Error(problems)
	}
	if p.AutoConfigure || p.Domain.Intent("a") == nil || len(p.NLU.Examples) != 1 || p.NLU.Examples[0].Intent != "b" {
		t.Errorf("intents %v, examples %v", p.Domain.IntentNames(), p.NLU.Examples)
	}
}

// importing is a configuration that imports the folder skill.
const importing = "recipe: default.v1\nimporters:\n- name: MultiProjectImporter\nimports:\n- skill\n"

// The responses of an imported domain are not those of an NLU file, which would win.
func TestOwnResponsesWinOverImportedOnes(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":       importing,
		"domain.yml":       "responses:\n  utter_a: [{text: own}]\nslots:\n  s: {type: bool, mappings: []}\n",
		"data/nlu.yml":     "responses:\n  utter_c: [{text: of NLU data}]\n",
		"skill/domain.yml": "responses:\n  utter_a: [{text: imported}]\n  utter_b: [{text: imported}]\n  utter_c: [{text: imported}]\nslots:\n  s: {type: text, mappings: []}\n",
	})
	p, _ := load(t, dir)
	got := map[string]string{}
	for name, variations := range p.Domain.Responses {
		got[name], _ = variations[0].Node.Get("text").Str()
	}
	want := map[string]string{"utter_a": "own", "utter_b": "imported", "utter_c": "of NLU data"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// Of two imported declarations the one that is read first counts. An import keeps the
// place that the first configuration to list it gives it (Rasa 3.6).
func TestImportsAreReadInOrder(t *testing.T) {
	domain := func(name string) string { return "responses:\n  utter_a: [{text: " + name + "}]\n" }
	for _, test := range []struct{ name, root, inA, want string }{
		{"in the order of the list", "b, a", "", "b"},
		{"nested ones where they are listed", "a", "imports: [../b]", "b"},
		{"an earlier import lists one of the same list", "a, b", "imports: [../b]", "a"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := write(t, map[string]string{
				"config.yml":   "importers:\n- name: MultiProjectImporter\nimports: [" + test.root + "]\n",
				"a/config.yml": test.inA, "a/domain.yml": domain("a"), "b/domain.yml": domain("b"),
			})
			p, _ := load(t, dir)
			if got, _ := p.Domain.Responses["utter_a"][0].Node.Get("text").Str(); got != test.want {
				t.Errorf("the response of %q counts, want that of %q", got, test.want)
			}
		})
	}
}

// Rasa reads an imported file as one of domain, NLU data and stories, and loses the
// rest of it.
func TestImportedFilesCountWhole(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":        importing,
		"domain.yml":        "intents: [greet]\n",
		"skill/skill.yml":   "intents: [faq]\nresponses:\n  utter_faq/age: [{text: old enough}]\nnlu:\n- intent: faq/age\n  examples: |\n    - how old are you\nstories:\n- story: s\n  steps:\n  - intent: greet\n",
		"skill/test_it.yml": "stories:\n- story: a test\n  steps:\n  - intent: greet\n",
		"skill/broken.yml":  "intents: [a\n",
	})
	p, problems := load(t, dir) // there is no folder data
	if !p.Sound.Config || !p.Sound.Domain || !p.Sound.Data || !strings.Contains(problems, "skill/broken.yml:") {
		t.Error(problems)
	}
	if len(p.NLU.Examples) != 1 || p.NLU.Examples[0].Response != "old enough" || !p.Domain.Intent("faq").Retrieval {
		t.Errorf("examples %+v, intents %v", p.NLU.Examples, p.Domain.IntentNames())
	}
	if len(p.Stories.Blocks) != 1 || p.Stories.Blocks[0].Name != "s" {
		t.Errorf("%d stories, want the one that is no test", len(p.Stories.Blocks))
	}
}

func TestFilesThatAreNamedTwiceCountOnce(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":             importing,
		"domain.yml":             "intents: [greet]\n",
		"skill/data/nlu.yml":     "nlu:\n- regex: zip\n  examples: |\n    - \\d{5}\n- lookup: city\n  examples: |\n    - Bonn\n",
		"skill/data/stories.yml": "stories:\n- story: s\n  steps:\n  - intent: greet\n",
	})
	t.Chdir(dir)
	paths := project.DefaultPaths()
	paths.Data = []string{"skill", filepath.Join(dir, "skill", "data")}
	var problems diag.List
	p := project.Load("", paths, &problems)
	if n := project.CountNLU(p.NLU); len(p.Stories.Blocks) != 1 || n.Regexes != 1 || n.LookupTables != 1 {
		t.Errorf("%d stories, %+v; want one of each; problems: %v", len(p.Stories.Blocks), n, problems.Err())
	}
}

// TestCountsAreRasasWhereProjectsOverlap: a folder below data that is imported too is
// read once, and counted as Rasa 3.6 does, which reads it twice. What its own data
// name twice, both read once.
func TestCountsAreRasasWhereProjectsOverlap(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":             importing,
		"domain.yml":             "intents: [greet]\n",
		"skill/data/nlu.yml":     "nlu:\n- regex: zip\n  examples: |\n    - \\d{5}\n- lookup: city\n  examples: |\n    - Bonn\n- intent: greet\n  examples: |\n    - hi\n",
		"skill/data/stories.yml": "stories:\n- story: s\n  steps:\n  - intent: greet\n",
		"skill/test_stories.yml": "stories:\n- story: t\n  steps:\n  - intent: greet\n",
	})
	for data, want := range map[string][]int{"data": {1, 1, 1, 1}, "skill/data": {2, 2, 2, 1}} {
		var problems diag.List
		p := project.Load(dir, project.Paths{Config: "config.yml", Domain: []string{"domain.yml"}, Data: []string{data, data}}, &problems)
		n := p.NLUStatistics()
		if got := []int{p.Statistics().StorySteps, n.Regexes, n.LookupTables, n.IntentExamples}; !slices.Equal(got, want) || len(p.Stories.Blocks) != 1 {
			t.Errorf("%s: %v, want %v; %d stories", data, got, want, len(p.Stories.Blocks))
		}
	}
}

func TestLinkedFoldersEnd(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml": "", "domain.yml": "intents: [a]\n",
		"data/nlu.yml": "nlu:\n- intent: a\n  examples: |\n    - x\n",
	})
	if err := os.Symlink(dir, filepath.Join(dir, "data", "loop")); err != nil {
		t.Skip(err)
	}
	if p, _ := load(t, dir); len(p.NLU.Examples) != 1 {
		t.Errorf("%d examples, want 1", len(p.NLU.Examples))
	}
}

func TestLookupTablesOfJSONMayBeFiles(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":      "recipe: default.v1\nassistant_id: a\nlanguage: en\npipeline: []\npolicies: []\n",
		"data/nlu.json":   `{"rasa_nlu_data": {"lookup_tables": [{"name": "city", "elements": "data/cities.txt"}]}}`,
		"data/cities.txt": "Bonn\n\n  Köln \r\n",
	})
	p, problems := load(t, dir)
	if len(p.NLU.Lookups) != 1 || !slices.Equal(p.NLU.Lookups[0].Values, []string{"Bonn", "Köln"}) {
		t.Errorf("lookup tables %+v, want city with Bonn and Köln; problems:\n%s", p.NLU.Lookups, problems)
	}
}

func TestBrokenFilesAreReportedTogether(t *testing.T) {
	dir := write(t, map[string]string{
		"config.yml":      "pipeline: {}\n",
		"domain.yml":      "intents: [a\n",
		"data/nlu.yml":    "nlu:\n- intent: [a]\n",
		"data/old.json":   `{"rasa_nlu_data": []}`,
		"data/notes.yml":  "anything: goes\n",
		"data/README.txt": "nlu:\n",
	})
	_, problems := load(t, dir)
	for _, want := range []string{"config.yml:1:11: pipeline must be a list", "domain.yml:", "data/nlu.yml:2:11: the name of the intent", "data/old.json:1:19: rasa_nlu_data can't be read"} {
		if !strings.Contains(problems, want) {
			t.Errorf("%q is missing in:\n%s", want, problems)
		}
	}
	if strings.Contains(problems, "notes.yml") || strings.Contains(problems, "README") {
		t.Errorf("foreign files are complained about:\n%s", problems)
	}
}
