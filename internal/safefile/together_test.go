package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// contents are the files of a folder; anything else in it fails the test.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

func TestFilesThatBelongTogetherChangeTogetherOrNotAtAll(t *testing.T) {
	refused := errors.New("refused")
	never := func(string, string) error { return refused }
	for name, c := range map[string]struct {
		third  string // a path; "folder" is one that no file can replace
		rename func(from, to string) error
	}{
		"a later one can't be written": {"folder", os.Rename},
		"a later folder is missing":    {"nowhere/c", os.Rename},
		"none can be renamed":          {"c", never},
		"the last can't be renamed": {"c", func(from, to string) error {
			if filepath.Base(to) == "c" {
				return refused
			}
			return os.Rename(from, to)
		}},
	} {
		dir := t.TempDir()
		in := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
		if err := os.Mkdir(in("folder"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in("a"), []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := replaceTogether([]File{{in("a"), []byte("new")}, {in("b"), []byte("new")}, {in(c.third), []byte("new")}}, 0o644, c.rename); err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := contents(t, dir); len(got) != 1 || got["a"] != "old" {
			t.Errorf("%s: %v", name, got)
		}
	}
	dir := t.TempDir()
	files := []File{{filepath.Join(dir, "a"), []byte("1")}, {filepath.Join(dir, "b"), []byte("2")}}
	for range 2 { // new ones, then those that are there
		if err := ReplaceTogether(files, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); len(got) != 2 || got["a"] != "1" || got["b"] != "2" {
			t.Error(got)
		}
	}
}

func TestLinksAndModesStay(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "file"), filepath.Join(dir, "link")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", link); err != nil {
		t.Skip("no symbolic links here:", err)
	}
	if err := ReplaceTogether([]File{{link, []byte("new")}}, 0o644); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(link); to != "file" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got := contents(t, dir); got["file"] != "new" || len(got) != 2 {
		t.Errorf("%v", got)
	}
}
