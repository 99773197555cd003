package project

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Kinds says what a file is read as. Rasa 3.6 tells by the contents: training
// data by the beginnings of lines, so that a broken file counts too, and domains
// by the top-level keys.
type Kinds struct {
	NLU     bool // nlu or responses; or NLU data in JSON
	Stories bool // stories or rules
	Tests   bool // stories in a file that is named test_*
	Domain  bool
	Config  bool // named config.yml or config.yaml
}

// Recognize tells the kinds of a file by its name and contents. root is the
// parsed contents, or nil for JSON and for what is no YAML.
func Recognize(path string, data []byte, root *yamlfile.Node) Kinds {
	base := filepath.Base(path)
	k := Kinds{Config: base == "config.yml" || base == "config.yaml"}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		k.NLU = nludata.IsJSON(data)
		return k
	case ".yml", ".yaml":
	default:
		return Kinds{}
	}
	k.NLU = hasLine(data, "nlu:", "responses:")
	k.Stories = hasLine(data, "stories:", "rules:")
	k.Tests = k.Stories && story.IsTestFile(filepath.ToSlash(path))
	k.Domain = slices.ContainsFunc(domain.Keys, root.Has)
	return k
}

// hasLine reports whether a line begins, after white space, with one of the
// prefixes.
func hasLine(data []byte, prefixes ...string) bool {
	for line := range bytes.Lines(data) {
		line = bytes.TrimLeft(line, " \t\v\f\r")
		for _, p := range prefixes {
			if bytes.HasPrefix(line, []byte(p)) {
				return true
			}
		}
	}
	return false
}

// file is one file of a project, read once.
type file struct {
	Kinds
	name string // for messages: relative to the project
	root *yamlfile.Node
	json []byte // NLU data in JSON, which has no root
	// problems found while parsing; they count once the file is used.
	problems *diag.List
}

// files reads the files of a project, each one once.
type files struct {
	dir      string
	read     map[string]*file // by absolute path
	again    map[string]int   // see Project
	problems *diag.List
	foreign  bool // see Paths
}

// newFiles reads files of the project in a folder; "" is the working directory.
func newFiles(dir string, problems *diag.List) *files {
	if whole, err := filepath.Abs(dir); err == nil {
		dir = whole // so that a file has one path, however it is named
	}
	return &files{dir: dir, read: map[string]*file{}, again: map[string]int{}, problems: problems}
}

// resolve turns a path of the project into one that can be opened.
func (f *files) resolve(name string) string {
	if filepath.IsAbs(name) || f.dir == "" {
		return filepath.Clean(name)
	}
	return filepath.Join(f.dir, name)
}

// open reads and parses a file. It returns nil when the file is no file that a
// project can hold.
func (f *files) open(name string) *file {
	path := f.resolve(name)
	if known, ok := f.read[path]; ok {
		return known
	}
	out := &file{name: filepath.ToSlash(name), problems: &diag.List{}}
	data := yamlfile.ReadBytes(path, out.name, out.problems)
	if data != nil && !isJSON(name) {
		parse := yamlfile.Parse
		if f.foreign {
			parse = yamlfile.ParseForeign
		}
		out.root = parse(data, out.name, out.problems)
	}
	out.Kinds = Recognize(name, data, out.root)
	if out.root == nil && out.NLU && isJSON(name) {
		out.json = data
	}
	if !out.NLU && !out.Stories && !out.Domain && !out.Config {
		f.slips(out.root)
		out.root = nil // keep no foreign data in memory
	}
	f.read[path] = out
	return out
}

// slips warns about a file that nothing is read from and that has a key like one
// of training data: a slip of the pen would leave the file out in silence.
func (f *files) slips(root *yamlfile.Node) {
	if root == nil || root.Kind != yamlfile.Map {
		return
	}
	for _, p := range root.Pairs {
		if hint := diag.DidYouMean(p.Key.Text, []string{"stories", "rules", "nlu", "responses", "intents", "slots", "actions"}); hint != "" {
			f.problems.Warnf(p.Key.Pos, "unknown-key", hint, "nothing is read from this file: %q is no key of a project's data", p.Key.Text)
		}
	}
}

// find lists the YAML and JSON files at and below a path, which is a file or a
// folder. Links are followed. Files of a folder come before its subfolders, both
// in alphabetical order.
func (f *files) find(name string) []string {
	var out []string
	f.walk(name, map[string]bool{}, &out)
	return out
}

func (f *files) walk(name string, above map[string]bool, out *[]string) {
	path := f.resolve(name)
	info, err := os.Stat(path)
	if err != nil {
		switch display := filepath.ToSlash(name); {
		case !errors.Is(err, fs.ErrNotExist):
			f.problems.Errorf(diag.Position{File: display}, "unreadable-file", "", "the file or folder can't be read: %v", reason(err))
		case len(above) == 0:
			f.problems.Errorf(diag.Position{File: display}, "missing-file", "check the path", "there is no such file or folder")
		}
		return
	}
	if !info.IsDir() {
		if isDataFile(name) {
			*out = append(*out, name)
		}
		return
	}
	real, err := filepath.EvalSymlinks(path)
	if err != nil || above[real] {
		return // a link to a folder above would never end
	}
	above[real] = true
	defer delete(above, real)
	entries, err := os.ReadDir(path)
	if err != nil {
		f.problems.Errorf(diag.Position{File: filepath.ToSlash(name)}, "unreadable-file", "", "the folder can't be read: %v", reason(err))
		return
	}
	var folders []string
	for _, e := range entries {
		child := filepath.Join(name, e.Name())
		if info, err := os.Stat(f.resolve(child)); err == nil && info.IsDir() {
			folders = append(folders, child)
		} else if isDataFile(child) {
			*out = append(*out, child)
		}
	}
	for _, folder := range folders {
		f.walk(folder, above, out)
	}
}

func isJSON(name string) bool { return strings.EqualFold(filepath.Ext(name), ".json") }

func isDataFile(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yml", ".yaml", ".json":
		return true
	}
	return false
}

// reason is the error of the operating system without the path.
func reason(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return p.Err
	}
	return err
}

// exists reports whether there is a file or folder.
func (f *files) exists(name string) bool {
	_, err := os.Stat(f.resolve(name))
	return err == nil
}
