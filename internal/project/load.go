package project

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Paths says where the parts of a project are. Relative paths begin at the
// project's folder; names in messages are the paths as given.
type Paths struct {
	Config string   // "" for a project without config.yml
	Domain []string // files and folders
	Data   []string // files and folders with NLU data, stories and rules
	// WithoutStories leaves stories and rules alone.
	WithoutStories bool
	// Foreign is set for a project that came over a network: it can read neither the
	// environment nor other files.
	Foreign bool
}

// DefaultPaths are those of rasa's command line.
func DefaultPaths() Paths {
	return Paths{Config: "config.yml", Domain: []string{"domain.yml"}, Data: []string{"data"}}
}

// Project is everything that a project says.
type Project struct {
	Paths  Paths
	Config *Config
	// Domain has the retrieval responses of NLU files, and the bot texts that
	// stories use as actions, merged in.
	Domain *domain.Domain
	// HasDomain reports that the domain files declare anything at all.
	HasDomain bool
	// OwnDomain is the domain as the domain files say it.
	OwnDomain *domain.Domain
	NLU       *nludata.TrainingData
	Stories   *story.Graph
	// AutoConfigure is false for projects of several projects, whose configuration
	// is not completed (Rasa 3.6).
	AutoConfigure bool
	// again has the names of files that are imported in several ways, or imported and
	// the project's own, and how many ways more than one there are. Such a file is read
	// once; Rasa 3.6 reads it each time.
	again map[string]int
	// Sound says which parts were read without errors. What is said about the
	// others would only be a consequence.
	Sound struct{ Config, Domain, Data bool }
}

// Load reads the project in a folder; "" is the working directory. What is wrong
// goes to problems; whatever could be read is in the result all the same.
func Load(dir string, paths Paths, problems *diag.List) *Project {
	f := newFiles(dir, problems)
	p := &Project{Paths: paths, AutoConfigure: true, again: f.again}
	f.foreign = paths.Foreign
	sound := func(read func()) bool {
		before := problems.ErrorCount()
		read()
		return problems.ErrorCount() == before
	}
	var imported imports
	p.Sound.Config = sound(func() {
		p.Config = f.config(paths.Config)
		imported = f.imported(p)
	})
	var document *yamlfile.Node
	p.Sound.Domain = sound(func() {
		document = domain.Merge(append([]*yamlfile.Node{f.domain(f.existing(paths.Domain))}, imported.domains...), problems)
		p.HasDomain = document != nil && len(document.Pairs) > 0
		p.OwnDomain = domain.Read(document, problems)
	})
	var data []*file
	p.Sound.Data = sound(func() {
		data = f.data(f.ownData(paths.Data, imported), imported.training, func(file *file) bool { return file.NLU || file.Stories && !paths.WithoutStories })
		p.NLU = f.nlu(data)
	})
	p.shareResponses(document.Get("responses"))

	var ignored diag.List // what is wrong was said about the domain itself
	p.Domain = p.OwnDomain
	if more := retrieval(f.responses(data), p.OwnDomain, p.NLU); more != nil {
		document = domain.Override(document, more)
		p.Domain = domain.Read(document, &ignored)
	}
	p.Sound.Data = sound(func() { p.Stories = f.stories(data, p) }) && p.Sound.Data
	if texts := botTexts(p.Stories); texts != nil {
		p.Domain = domain.Read(domain.Merge([]*yamlfile.Node{document, texts}, nil), &ignored)
	}
	return p
}

// LoadNLU reads the NLU data of files and folders and nothing else, with the
// retrieval responses that stand beside it.
func LoadNLU(dir string, paths []string, problems *diag.List) *nludata.TrainingData {
	f := newFiles(dir, problems)
	return f.nlu(f.data(paths, nil, func(file *file) bool { return file.NLU }))
}

// config reads config.yml.
func (f *files) config(path string) *Config {
	display := filepath.ToSlash(path)
	if path != "" && f.exists(path) {
		return ReadConfig(f.resolve(path), display, f.problems)
	}
	if path != "" {
		f.problems.Errorf(diag.Position{File: display}, "missing-file", "write one, or say where it is: --config", "there is no configuration at this path")
	}
	return &Config{File: display}
}

// existing leaves out the paths of a domain that are not there.
func (f *files) existing(paths []string) []string {
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool {
		if f.exists(path) {
			return false
		}
		f.problems.Warnf(diag.Position{File: filepath.ToSlash(path)}, "missing-domain", "write one, or say where it is: --domain", "there is no domain at this path")
		return true
	})
}

// ownData are the paths of the project's own data. A project that imports some can
// do without the default folder, as in Rasa 3.6.
func (f *files) ownData(paths []string, imported imports) []string {
	if len(imported.training) > 0 && slices.Equal(paths, DefaultPaths().Data) && !f.exists(paths[0]) {
		return nil
	}
	return paths
}

// data opens the files at and below the paths. With the imported ones they are
// sorted by path, each once; of both it is the project's own. The result has those
// that are wanted.
func (f *files) data(paths []string, imported []*file, wanted func(*file) bool) []*file {
	found := map[string]*file{}
	take := func(file *file) {
		path := filepath.ToSlash(f.resolve(file.name))
		if before := found[path]; before != nil && before != file {
			f.again[file.name]++
		}
		found[path] = file
	}
	for _, file := range imported {
		take(file)
	}
	for _, path := range paths {
		for _, name := range f.find(path) {
			take(f.open(name))
		}
	}
	var out []*file
	for _, path := range slices.Sorted(maps.Keys(found)) {
		if file := found[path]; wanted(file) {
			f.problems.AddAll(file.problems)
			out = append(out, file)
		}
	}
	return out
}

func (f *files) nlu(data []*file) *nludata.TrainingData {
	var parts []*nludata.TrainingData
	for _, file := range data {
		switch {
		case file.json != nil:
			part := nludata.ReadJSON(file.json, file.name, f.problems)
			f.lookupFiles(part.Lookups)
			parts = append(parts, part)
		case file.NLU:
			parts = append(parts, nludata.Read(file.root, f.problems))
		}
	}
	return nludata.Merge(parts, f.problems)
}

// lookupFiles reads the values of the tables that name a file, whose path is one
// of the project.
func (f *files) lookupFiles(tables []nludata.Lookup) {
	for i := range tables {
		t := &tables[i]
		if t.File == "" {
			continue
		}
		if f.foreign {
			f.problems.Errorf(t.Pos, "missing-file", "list the values themselves", "the lookup table %q names a file, which a project that comes over a network can't", t.Name)
			continue
		}
		if !f.exists(t.File) {
			f.problems.Errorf(t.Pos, "missing-file", "the path counts from the project's folder", "the lookup table %q names %s, which is not there", t.Name, t.File)
			continue
		}
		for line := range strings.Lines(string(yamlfile.ReadBytes(f.resolve(t.File), t.File, f.problems))) {
			if line = strings.TrimSpace(line); line != "" {
				t.Values = append(t.Values, line)
			}
		}
		t.File = ""
	}
}

func (f *files) stories(data []*file, p *Project) *story.Graph {
	g := &story.Graph{Foreign: f.foreign}
	reader := story.Reader{Problems: f.problems}
	if p.Sound.Domain && p.HasDomain {
		reader.Domain = p.Domain // else every name would be unknown
	}
	for _, file := range data {
		if file.Stories && !p.Paths.WithoutStories && file.root != nil && yamlfile.CheckVersion(file.root, f.problems) {
			g.Merge(reader.Read(file.root))
		}
	}
	return g
}
