package project

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// importers are the names that importers: in config.yml may hold.
var importers = []string{"RasaFileImporter", "MultiProjectImporter"}

// imports are what MultiProjectImporter finds beside the project's own paths.
type imports struct {
	training []*file // NLU data and stories
	domains  []*yamlfile.Node
}

// imported follows the importers of the configuration.
func (f *files) imported(p *Project) imports {
	var out imports
	for _, item := range p.Config.Importers.Items {
		name := item.Name
		if strings.HasPrefix(name, "rasa.") { // Rasa's own classes by their module
			name = name[strings.LastIndex(name, ".")+1:]
		}
		switch {
		case name == "RasaFileImporter":
		case name == "MultiProjectImporter" && f.foreign:
			f.problems.Errorf(item.Pos, "missing-file", "put everything into one document", "the importer %q reads other files, which a project that comes over a network can't", item.Name)
		case name == "MultiProjectImporter":
			p.AutoConfigure = false
			m := multiProject{files: f, seen: map[string]bool{}}
			m.follow(p.Config.Imports, filepath.Dir(p.Paths.Config))
			out = m.imports
		case strings.Contains(name, "."):
			f.problems.Errorf(item.Pos, "python-class", "importers: "+strings.Join(importers, ", "), "importer %q is a Python class, which can't run here", item.Name)
		default:
			hint := diag.DidYouMean(name, importers)
			if hint == "" {
				hint = "importers: " + strings.Join(importers, ", ")
			}
			f.problems.Errorf(item.Pos, "unknown-importer", hint, "there is no importer %q", item.Name)
		}
	}
	return out
}

// multiProject collects the files of imported projects.
type multiProject struct {
	*files
	imports
	seen map[string]bool // folders and configurations that were followed
}

// follow reads what a configuration imports; paths begin at dir. What is not there
// is left out, as in Rasa 3.6, with a warning. What is listed here keeps its place,
// even if an import before it lists it too.
func (m *multiProject) follow(list []Import, dir string) {
	var paths []string
	for _, i := range list {
		path := i.Path
		if !filepath.IsAbs(path) {
			path = filepath.Join(dir, path)
		}
		if !m.exists(path) {
			m.problems.Warnf(i.Pos, "missing-import", "imports are relative to the file that names them", "there is no file or folder %q to import", i.Path)
			continue
		}
		if m.seen[m.resolve(path)] {
			continue
		}
		m.seen[m.resolve(path)] = true
		paths = append(paths, path)
	}
	for _, path := range paths {
		m.read(path)
	}
}

// read takes in one imported file or folder.
func (m *multiProject) read(path string) {
	for _, name := range m.find(path) {
		file := m.open(name)
		switch {
		case file.Config:
			m.config(file)
			continue
		case m.unread(file):
			continue
		case file.Domain:
			m.problems.AddAll(file.problems)
			m.domains = append(m.domains, file.root)
		}
		if data := file.imported(); data.NLU || data.Stories {
			m.training = append(m.training, data)
		}
	}
}

// imported is the file without what does not count as training data when it is
// imported (Rasa 3.6): its responses, which are the domain's, where those of the
// importing project win, and stories that are tests.
func (f *file) imported() *file {
	out := *f
	out.Stories = f.Stories && !f.Tests
	if f.Domain {
		out.NLU = f.root.Has("nlu")
		root := *f.root
		root.Pairs = slices.DeleteFunc(slices.Clone(root.Pairs), func(p yamlfile.Pair) bool { return p.Key.Text == "responses" })
		out.root = &root
	}
	return &out
}

// config follows the imports of an imported configuration; the rest of it does
// not count.
func (m *multiProject) config(file *file) {
	path := m.resolve(file.name)
	if m.seen[path+"#config"] {
		return
	}
	m.seen[path+"#config"] = true
	m.problems.AddAll(file.problems)
	m.follow(configReader{m.problems}.imports(file.root), filepath.Dir(file.name))
}
