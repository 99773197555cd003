package app_test

import (
	"context"
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/marker"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracing"
)

var update = flag.Bool("update", false, "write what is printed now into testdata/problems")

// sound is a project without problems; each case replaces what it is about.
var sound = map[string]string{
	"config.yml": `recipe: default.v1
assistant_id: a
language: en
pipeline:
- name: WhitespaceTokenizer
- name: CountVectorsFeaturizer
- name: LogisticRegressionClassifier
policies:
- name: RulePolicy
- name: MemoizationPolicy
`,
	"domain.yml": `intents: [greet, bye]
entities: [city]
slots:
  city:
    type: text
    mappings:
    - type: from_entity
      entity: city
responses:
  utter_greet:
  - text: hi
  utter_bye:
  - text: bye
`,
	"data/nlu.yml": `nlu:
- intent: greet
  examples: |
    - hello
    - good morning
- intent: bye
  examples: |
    - bye
    - see you in [Rome](city)
    - off to [Oslo](city)
`,
	"data/rules.yml": `rules:
- rule: greet
  steps:
  - intent: greet
  - action: utter_greet
- rule: bye
  steps:
  - intent: bye
  - action: utter_bye
`,
}

// TestProblemsAreExplained prints what is wrong with each project of
// testdata/problems. A case is an archive with the files that differ from a sound
// project, and with the text that is expected. A file name may end in
//
//	.absent  there is no such file
//	.quoted  the contents are a Go string
//	.repeat  each line is a number of times and a Go string
//	.size    the file has that many bytes
func TestProblemsAreExplained(t *testing.T) {
	root := filepath.Join(sharedtest.ModuleRoot(t), "testdata", "problems")
	cases, err := filepath.Glob(filepath.Join(root, "*", "*.txtar"))
	if err != nil || len(cases) < 60 {
		t.Fatalf("%d cases in %s (%v)", len(cases), root, err)
	}
	for _, file := range cases {
		name, _ := filepath.Rel(root, file)
		t.Run(strings.TrimSuffix(name, ".txtar"), func(t *testing.T) { explain(t, file, filepath.Dir(name)) })
	}
	t.Run("sound", func(t *testing.T) {
		if got := problemsOf(t, nil); got != "" {
			t.Error(got)
		}
	})
}

// TestProblemsAreDocumented compares the codes of the corpus and of the page.
func TestProblemsAreDocumented(t *testing.T) {
	root := sharedtest.ModuleRoot(t)
	page, err := os.ReadFile(filepath.Join(root, "docs", "problems.md"))
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(filepath.Join(root, "testdata", "problems"))
	if err != nil {
		t.Fatal(err)
	}
	var documented, present []string
	for line := range strings.Lines(string(page)) {
		if row, ok := strings.CutPrefix(line, "| `"); ok {
			codes, _, _ := strings.Cut(row, " |")
			for code := range strings.SplitSeq(codes, ", ") {
				documented = append(documented, strings.Trim(code, "`"))
			}
		}
	}
	for _, f := range folders {
		present = append(present, f.Name())
	}
	documented = slices.DeleteFunc(documented, func(code string) bool { return code == "finetuning" }) // needs a model, see package provider
	slices.Sort(documented)
	if diff := cmp.Diff(present, documented); diff != "" {
		t.Errorf("codes of testdata/problems (-) and of docs/problems.md (+):\n%s", diff)
	}
}

func explain(t *testing.T, file, code string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want := archive.Files[len(archive.Files)-1]
	got := problemsOf(t, archive.Files[:len(archive.Files)-1])
	if !strings.Contains(got, "["+code+"]") {
		t.Errorf("nothing has the code %s:\n%s", code, got)
	}
	if *update {
		archive.Files[len(archive.Files)-1].Data = []byte(got)
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(want.Data), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// problemsOf prints the problems of the sound project with changes, as the
// commands do, and makes sure that nothing is written.
func problemsOf(t *testing.T, changes []txtar.File) string {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	files := maps.Clone(sound)
	for _, f := range changes {
		name, ending := f.Name, filepath.Ext(f.Name)
		base := strings.TrimSuffix(name, ending)
		switch ending {
		case ".absent":
			delete(files, base)
		case ".quoted", ".repeat":
			files[base] = generated(t, string(f.Data))
		case ".size":
			delete(files, base)
			writeSparse(t, base, string(f.Data))
		default:
			files[name] = string(f.Data)
		}
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := listed(t)
	out := print(t)
	if diff := cmp.Diff(before, listed(t)); diff != "" {
		t.Errorf("files changed:\n%s", diff)
	}
	return out
}

func print(t *testing.T) string {
	var all diag.List
	paths := app.ProjectPaths{Config: "config.yml", Domain: "domain.yml", Data: []string{"data"}}
	if _, err := os.Stat("domain"); err == nil {
		paths.Domain = "domain"
	}
	result, err := app.Validate(context.Background(), app.ValidateOptions{Paths: paths})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range result.Problems {
		all.Add(p)
	}
	e := project.ReadEndpoints("endpoints.yml", "endpoints.yml", &all)
	tracing.ReadConfig(e.Root, os.Getenv, &all)
	project.ReadCredentials("credentials.yml", "credentials.yml", &all)
	if _, err := os.Stat("markers.yml"); err == nil {
		marker.Check(marker.Read("markers.yml", &all), project.LoadDomain("", []string{paths.Domain}, &all), &all)
	}
	var b strings.Builder
	for _, p := range all.All() {
		b.WriteString(p.Error() + "\n")
	}
	return b.String()
}

// generated reads lines with a Go string, maybe behind a number of times.
func generated(t *testing.T, lines string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		times := 1
		if count, rest, ok := strings.Cut(line, " "); ok && !strings.HasPrefix(line, `"`) {
			n, err := strconv.Atoi(count)
			if err != nil {
				t.Fatal(err)
			}
			times, line = n, rest
		}
		text, err := strconv.Unquote(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		b.WriteString(strings.Repeat(text, times))
	}
	return b.String()
}

func writeSparse(t *testing.T, name, size string) {
	t.Helper()
	n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
	if err == nil {
		err = os.WriteFile(name, nil, 0o600)
	}
	if err == nil {
		err = os.Truncate(name, n)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// listed gives the files below the working directory, with their sizes.
func listed(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && !d.IsDir() {
			out = append(out, path+" "+strconv.FormatInt(info.Size(), 10))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(out)
	return out
}
