package app_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func TestDomainsAreMigratedAsByRasa(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/migrate.txtar")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	cases := map[string]map[string]string{} // what is expected, by the path of the domain
	for _, f := range archive.Files {
		name, file, _ := strings.Cut(f.Name, "/")
		domain := filepath.Join(name, "before")
		if strings.HasSuffix(file, ".yml") && !strings.Contains(file, "/") {
			domain += ".yml"
		}
		if cases[domain] == nil {
			cases[domain] = map[string]string{}
		}
		if _, below, _ := strings.Cut(file, "/"); strings.HasPrefix(file, "after") {
			cases[domain][below] = string(f.Data)
			continue
		}
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if len(cases) < 45 {
		t.Errorf("%d domains", len(cases))
	}
	for domain, want := range cases {
		t.Run(filepath.Dir(domain), func(t *testing.T) {
			result, err := app.MigrateDomain(domain, "")
			if err != nil {
				t.Fatal(err)
			}
			for below, text := range want {
				if diff := cmp.Diff(meaning(t, text), meaning(t, readText(t, filepath.Join(result.Out, below)))); diff != "" {
					t.Errorf("%s (-want +got)\n%s", below, diff)
				}
			}
			after, backup, before := filesOf(t, result.Out), filesOf(t, result.Backup), filesOf(t, domain)
			maps.DeleteFunc(before, func(name, _ string) bool { return after[name] == "" })
			if diff := cmp.Diff(before, backup); diff != "" {
				t.Errorf("the copy is another than what was migrated:\n%s", diff)
			}
			if len(after) != len(want) {
				t.Errorf("%d files, want %d", len(after), len(want))
			}
		})
	}
}

// meaning is a document as plain values; of a map that has a version, the keys in
// their order too.
func meaning(t *testing.T, text string) any {
	t.Helper()
	var problems diag.List
	root := yamlfile.Parse([]byte(text), "domain.yml", &problems)
	if err := problems.Err(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return []any{root.Any(), root.Keys()}
}

// filesOf gives the contents of a file, or of those at and below a folder.
func filesOf(t *testing.T, path string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(path, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			below, _ := filepath.Rel(path, name)
			out[below] = readText(t, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatCannotBeMigratedIsExplained(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("domain.yml", []byte(`version: "2.0"
intents: [greet]
slots:
  a: text
forms:
  text: x
  listed:
    required_slots: [a]
  wrong:
    required_slots: a
  mappings:
    required_slots:
      a:
        type: from_text
      b:
      - from_text
`), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := app.MigrateDomain("domain.yml", "")
	want := `domain.yml:4:6: the settings of slot "a" must be a map, not a string [invalid-slot]
    hint: write type: below the slot's name
domain.yml:6:9: the settings of form "text" must be a map, not a string [invalid-form]
    hint: write required_slots: below the form's name
domain.yml:8:21: the slots of form "listed" are a list already, as in Rasa 3 [invalid-form]
    hint: if all of the domain is like that, change its version to "3.1"
domain.yml:10:21: the slots of form "wrong" must be a map, not a string [invalid-form]
    hint: write each slot with its mappings below it
domain.yml:14:9: the mappings of slot "a" in form "mappings" must be a list, not a map [invalid-mapping]
    hint: write - type: for each mapping
domain.yml:16:9: a mapping of slot "b" must be a map, not a string [invalid-mapping]
    hint: write - type: and its settings`
	if err == nil {
		t.Fatal("nothing is wrong")
	}
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
	if files := filesOf(t, "."); len(files) != 1 {
		t.Errorf("files were written: %v", files)
	}
}

func TestAMigrationThatIsNotWrittenLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("domain.yml", []byte("intents: [greet]\nforms:\n  f:\n    required_slots:\n      s: [{type: from_text}]\nslots:\n  s: {type: text}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outs := []string{"original_domain.yml", "./original_domain.yml"}
	if _, err := os.Stat("/proc/self"); err == nil {
		outs = append(outs, "/proc/self/domain.yml") // in a folder, and can't be made
	}
	for _, out := range outs {
		if _, err := app.MigrateDomain("domain.yml", out); err == nil {
			t.Errorf("%s is written", out)
		}
		if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
			t.Errorf("%s: left behind: %v, %v", out, left, err)
		}
	}
}
