package app

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

const tinyProject = `version: "3.1"
recipe: default.v1
assistant_id: tiny
language: en
pipeline: [{name: WhitespaceTokenizer}, {name: KeywordIntentClassifier}]
policies: [{name: RulePolicy}]
intents: [hi, bye]
responses:
  utter_hi: [{text: "Home is ${HOME}.", buttons: [{title: "1.0", payload: "/bye"}]}]
nlu:
- intent: hi
  examples: "- hi\n- hello\n"
- intent: bye
  examples: "- bye\n- so long\n"
rules:
- rule: hi
  steps: [{intent: hi}, {action: utter_hi}]
- rule: bye
  steps: [{intent: bye}, {action: utter_hi}]
`

// endless is a story whose alternatives multiply to more paths than can be walked.
var endless = "stories:\n- story: endless\n  steps:\n" + strings.Repeat("  - or: [{intent: hi}, {intent: bye}]\n  - action: utter_hi\n", 40)

func TestStoriesOfARequestAreBounded(t *testing.T) {
	var problems diag.List
	d := domain.Read(yamlfile.Parse([]byte(tinyProject), "", &problems), &problems)
	g := project.ForeignStories([]byte(endless), "body", d, &problems)
	_, err := TestCoreOptions{}.paths(t.Context(), g, d, &problems)
	if err == nil || !strings.Contains(err.Error(), "more than 1000000 events [too-many-paths]") {
		t.Error(err)
	}
}

func TestProjectOfARequestIsTrained(t *testing.T) {
	t.Chdir(t.TempDir())
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	p := &parts{logger: slog.New(slog.DiscardHandler)}
	leftovers := func() int {
		entries, err := os.ReadDir(temporary)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	trained, err := p.trainRequest(t.Context(), httpapi.TrainRequest{Project: []byte(tinyProject), Augmentation: 50, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	a, err := Open(t.Context(), ServeOptions{Model: trained.Path, InMemory: true, Logger: p.logger})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close(t.Context())
	domain := yamlfile.File(a.ModelDomain().AsDict().YAML(0))
	if !strings.Contains(string(domain), "${HOME}") {
		t.Errorf("the environment was read:\n%s", domain)
	}
	// What GET /domain gives is the domain that it was trained with.
	if err := os.WriteFile("again.yml", domain, 0o600); err != nil {
		t.Fatal(err)
	}
	var problems diag.List
	again := project.Load("", project.Paths{Domain: []string{"again.yml"}, Foreign: true}, &problems)
	one, err1 := a.ModelDomain().MarshalJSON()
	two, err2 := again.Domain.MarshalJSON()
	if err := errors.Join(err1, err2, problems.Err()); err != nil || string(one) != string(two) {
		t.Errorf("%v\n%s\n%s", err, one, two)
	}
	if trained.Remove(); leftovers() != 0 {
		t.Errorf("%d files are left over", leftovers())
	}

	for _, c := range []struct {
		change, to string
		kind       httpapi.TrainingErrorKind
		want       string
	}{
		{"nlu:", "nlu: [", httpapi.BadYAML, "valid YAML"},
		{"intents: [hi, bye]", "intents: [hi, bye, hi]", httpapi.BadDomain, "declared twice"},
		{"{action: utter_hi}]", "{action: utter_nope}]", httpapi.BadProject, "utter_nope"},
		{"language: en", "language: en\nimporters: [{name: MultiProjectImporter}]\nimports: [/etc]", httpapi.BadProject, "over a network"},
		{"rules:\n", endless + "rules:\n", httpapi.TooLarge, "more than 1000000 events"},
	} {
		_, err := p.trainRequest(t.Context(), httpapi.TrainRequest{Project: []byte(strings.Replace(tinyProject, c.change, c.to, 1))})
		bad, ok := errors.AsType[*httpapi.TrainingError](err)
		if !ok || bad.Kind != c.kind || !strings.Contains(bad.Message, c.want) {
			t.Errorf("%s: %v", c.to, err)
		}
	}
	if leftovers() != 0 {
		t.Errorf("%d files are left over", leftovers())
	}
	if _, err := os.Stat(filepath.Join(".", defaultModels)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a model was kept that nobody wanted to keep")
	}
}
