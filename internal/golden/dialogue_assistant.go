package golden

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// loadAssistant reads the domain and the stories of the assistant in a folder.
func loadAssistant(dir string) (*domain.Domain, *story.Graph, error) {
	var problems diag.List
	paths := []string{"data"}
	for _, name := range []string{"domain.yml", "domain"} {
		if found, _ := filepath.Glob(filepath.Join(dir, name)); found != nil {
			paths = append(paths, name)
		}
	}
	d := project.LoadDomain(dir, paths, &problems)
	g := &story.Graph{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch ext := filepath.Ext(path); {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "tests" || entry.Name() == ".rasa"):
			return fs.SkipDir
		case ext != ".yml" && ext != ".yaml":
			return nil
		}
		root := yamlfile.Read(path, path, &problems)
		reader := story.Reader{Domain: d, Problems: &problems}
		g.Merge(reader.Read(root))
		for name := range nludata.Read(root, &problems).Responses {
			base, _, _ := strings.Cut(name, "/") // the action that selects one of the responses
			d.Responses[base] = append(d.Responses[base], domain.Response{})
		}
		return nil
	})
	if len(g.Blocks) == 0 {
		err = errors.Join(err, errors.New("no stories"))
	}
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			if a, ok := e.Event.(*tracker.ActionExecuted); ok && a.ActionText != "" {
				d.E2EActions = append(d.E2EActions, a.ActionText)
			}
		}
	}
	slices.Sort(d.E2EActions)
	d.E2EActions = slices.Compact(d.E2EActions)
	d.Complete()
	return d, g, err
}
