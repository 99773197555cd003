package project

import (
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// LoadStories reads the stories of a file or folder, and of files that are named
// test_* alone if only those are wanted. d is the domain of the model that they are
// for. Rules are left out.
func LoadStories(name string, d *domain.Domain, testsAlone bool, problems *diag.List) *story.Graph {
	f := newFiles("", problems)
	var parts []*story.Graph
	for _, name := range f.find(name) {
		if testsAlone && !story.IsTestFile(filepath.ToSlash(name)) {
			continue
		}
		file := f.open(name)
		if !file.Stories {
			continue
		}
		problems.AddAll(file.problems)
		parts = append(parts, readStories(file.root, d, problems))
	}
	return merged(parts)
}

// ForeignStories reads stories that came over a network.
func ForeignStories(body []byte, name string, d *domain.Domain, problems *diag.List) *story.Graph {
	g := readStories(yamlfile.ParseForeign(body, name, problems), d, problems)
	g.Foreign = true
	return g
}

// readStories reads the stories of one document.
func readStories(root *yamlfile.Node, d *domain.Domain, problems *diag.List) *story.Graph {
	if root == nil || !yamlfile.CheckVersion(root, problems) {
		return &story.Graph{}
	}
	g := (&story.Reader{Domain: d, Problems: problems}).Read(root)
	g.Blocks = slices.DeleteFunc(g.Blocks, func(b *story.Block) bool { return b.Rule })
	return g
}

func merged(parts []*story.Graph) *story.Graph {
	g := &story.Graph{}
	for _, part := range parts {
		g.Merge(part)
	}
	return g
}
