package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/migrate"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// MigrateResult is where a migrated domain is.
type MigrateResult struct {
	Out, Backup string // files, or folders
	Warnings    []diag.Problem
}

// MigrateDomain makes a domain of Rasa 2, a file or a folder, one of Rasa 3. It
// writes the result to out, or to new_domain beside the domain if out is "", and a
// copy of the files as they are to original_domain beside the domain. It writes
// over nothing, and nothing if anything is wrong.
func MigrateDomain(path, out string) (result MigrateResult, err error) {
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	info, err := os.Stat(path)
	if err != nil {
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "missing-domain", "name a file or folder: --domain", "there is no domain to migrate")
		return result, problems.Err()
	}
	path = filepath.Clean(path)
	ending := ".yml"
	if info.IsDir() {
		ending = ""
	}
	result.Out, result.Backup = out, filepath.Join(filepath.Dir(path), "original_domain"+ending)
	if out == "" {
		result.Out = filepath.Join(filepath.Dir(path), "new_domain"+ending)
	}
	if filepath.Clean(result.Out) == result.Backup {
		return result, fmt.Errorf("%s is for the copy of the original; name another file or folder: --out", filepath.ToSlash(out))
	}
	if err := errors.Join(checkAbsent(result.Backup, false), checkAbsent(result.Out, info.IsDir())); err != nil {
		return result, err
	}
	files := readDomainFiles(path, info.IsDir(), &problems)
	if err := problems.Err(); err != nil {
		return result, err
	}
	if info.IsDir() {
		checkSections(path, files, &problems)
	}
	migrated := migrate.Domain(roots(files), &problems)
	if err := problems.Err(); err != nil {
		return result, err
	}
	original, fresh := map[string][]byte{}, map[string][]byte{}
	for i, f := range files {
		original[f.below] = f.data
		fresh[f.below] = yamlfile.File(migrated[i].Root.YAML(0))
	}
	if err := writeTree(result.Backup, original); err != nil {
		return result, err
	}
	if err := writeTree(result.Out, fresh); err != nil {
		return result, errors.Join(err, os.RemoveAll(result.Backup)) // it was made just now
	}
	return result, nil
}

// checkAbsent makes sure that a file or folder can be made; a folder may be there
// if it is empty.
func checkAbsent(path string, folder bool) error {
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return fmt.Errorf("%s can't be written: there is no folder %s", path, filepath.Dir(path))
	}
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) || folder && err == nil && len(entries) == 0 {
		return nil
	}
	return fmt.Errorf("%s is there already; remove it, or move it away", path)
}

// domainFile is a file of a domain to be migrated.
type domainFile struct {
	migrate.File
	below string // its path in the folder; "" for a domain that is one file
	data  []byte
}

func roots(files []domainFile) []migrate.File {
	out := make([]migrate.File, len(files))
	for i, f := range files {
		out[i] = f.File
	}
	return out
}

// readDomainFiles reads a file, or the YAML files with keys of a domain at and
// below a folder.
func readDomainFiles(path string, folder bool, problems *diag.List) []domainFile {
	var files []domainFile
	for _, name := range yamlFiles(path, problems) {
		f := domainFile{File: migrate.File{Name: filepath.ToSlash(name)}}
		if folder {
			f.below, _ = filepath.Rel(path, name) // it begins with the path
		}
		if f.data = yamlfile.ReadBytes(name, f.Name, problems); f.data != nil {
			f.Root = yamlfile.Parse(f.data, f.Name, problems)
		}
		if slices.ContainsFunc(domain.Keys, f.Root.Has) {
			files = append(files, f)
		}
	}
	if len(files) == 0 && !problems.HasErrors() {
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "empty-domain", "name a file or folder: --domain", "there is no domain to migrate: no key such as intents, slots or forms")
	}
	return files
}

// yamlFiles lists a file, or the YAML files at and below a folder in alphabetical
// order.
func yamlFiles(path string, problems *diag.List) []string {
	var files []string
	err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if ext := filepath.Ext(name); err == nil && !entry.IsDir() && (name == path || ext == ".yml" || ext == ".yaml") {
			files = append(files, name)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "missing-file", "check the path", "there is no such file or folder")
	case err != nil:
		problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "unreadable-file", "", "the file or folder can't be read: %v", err)
	}
	return files
}

// checkSections refuses a folder without slots or forms, as Rasa does: one of them
// would most likely be in a file elsewhere.
func checkSections(path string, files []domainFile, problems *diag.List) {
	for _, section := range []string{"slots", "forms"} {
		if !slices.ContainsFunc(files, func(f domainFile) bool { return f.Root.Has(section) }) {
			problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "invalid-domain", "put all files of the domain into the folder; if there are none, write "+section+": {}",
				"no file of the folder has %s", section)
		}
	}
}

// writeTree writes files below a path; the file with no name is the path itself.
// If one can't be written, none is left.
func writeTree(path string, files map[string][]byte) (err error) {
	defer func() {
		if err != nil {
			for name := range files {
				_ = os.Remove(filepath.Join(path, name))
			}
		}
	}()
	for name, data := range files {
		file := filepath.Join(path, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		if err := evaluate.WriteFile(file, data); err != nil {
			return err
		}
	}
	return nil
}
