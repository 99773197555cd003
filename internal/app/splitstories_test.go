package app_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/loquat-dev/loquat/internal/app"
)

func TestStoriesAreSplitAsByRasa(t *testing.T) {
	archive, err := txtar.ParseFile("testdata/split_stories.txtar")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	source, compared := map[string]string{}, 0
	for _, f := range archive.Files {
		parts := strings.Split(f.Name, "/")
		if len(parts) == 2 {
			source[parts[0]] = f.Name
			if err := os.MkdirAll(parts[0], 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(f.Name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			continue
		}
		o := app.SplitStoriesOptions{Stories: source[parts[0]], Out: filepath.Join("out", parts[0], parts[1])}
		if _, err := fmt.Sscanf(parts[1], "%g-%d", &o.Fraction, &o.Seed); err != nil {
			t.Fatal(err)
		}
		if _, err := app.SplitStories(o); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(meaning(t, string(f.Data)), meaning(t, readText(t, filepath.Join(o.Out, parts[2])))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", f.Name, diff)
		}
		compared++
	}
	if compared != 20 {
		t.Errorf("%d files compared", compared)
	}
}
