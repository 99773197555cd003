// Package sharedtest finds the recordings and sample assistants that live
// beside the repository and are too large to be part of it.
package sharedtest

import (
	"os"
	"path/filepath"
	"testing"
)

// Dir returns the folder with the shared material, or skips the test when it is
// not there. Elements are joined below it: Dir(t, "data", "golden").
//
// The folder is the one that LOQUAT_SHARED names, else "shared" beside the
// repository.
func Dir(t testing.TB, elements ...string) string {
	t.Helper()
	dir, ok := Find(elements...)
	if !ok {
		t.Skipf("skipped: the shared recordings are not here (looked for %s); set LOQUAT_SHARED to their folder", dir)
	}
	return dir
}

// Find is Dir for programs: it reports whether the folder exists.
func Find(elements ...string) (string, bool) {
	root := os.Getenv("LOQUAT_SHARED")
	if root == "" {
		root = filepath.Join(filepath.Dir(moduleRoot()), "shared")
	}
	dir := filepath.Join(append([]string{root}, elements...)...)
	_, err := os.Stat(dir)
	return dir, err == nil
}

// ModuleRoot returns the top folder of the repository that the working
// directory belongs to.
func ModuleRoot(t testing.TB) string {
	t.Helper()
	return moduleRoot()
}

func moduleRoot() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for d := dir; ; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			return dir
		}
	}
}
