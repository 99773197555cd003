package project

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// LoadDomain reads the domain at the paths, each a file or a folder. Relative
// paths begin at dir. A file below a folder counts when it has a key of a domain;
// one that is no YAML is left out with a warning, as in Rasa 3.6.
func LoadDomain(dir string, paths []string, problems *diag.List) *domain.Domain {
	f := newFiles(dir, problems)
	return domain.Read(f.domain(paths), problems)
}

// domain merges the domain files at the paths.
func (f *files) domain(paths []string) *yamlfile.Node {
	var parts []*yamlfile.Node
	for _, path := range paths {
		parts = append(parts, domain.Merge(f.domainFiles(path), f.problems))
	}
	return domain.Merge(parts, f.problems)
}

// domainFiles gives the parsed domain files at and below a path.
func (f *files) domainFiles(path string) []*yamlfile.Node {
	found := f.find(path)
	if len(found) == 1 && found[0] == path { // a file that is named is a domain, whatever it holds
		file := f.open(path)
		f.problems.AddAll(file.problems)
		if file.root != nil {
			return []*yamlfile.Node{file.root}
		}
		return []*yamlfile.Node{yamlfile.Read(f.resolve(path), file.name, &diag.List{})}
	}
	var out []*yamlfile.Node
	for _, name := range found {
		file := f.open(name)
		switch {
		case f.unread(file):
		case file.Domain:
			f.problems.AddAll(file.problems)
			out = append(out, file.root)
		}
	}
	return out
}

// unread reports whether a file is no YAML and, for all that can be told, no
// training data either, and warns that it is left out, as in Rasa 3.6.
func (f *files) unread(file *file) bool {
	if !file.problems.HasErrors() || file.NLU || file.Stories {
		return false
	}
	for _, p := range file.problems.All() {
		p.Severity = diag.Warning
		p.Message += "; the file is left out of the domain"
		f.problems.Add(p)
	}
	return true
}
