package golden

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/story"
)

// loadAssistant reads the domain and the stories of the assistant in a folder,
// which lie in data or beside it.
func loadAssistant(dir string) (*domain.Domain, *story.Graph, error) {
	exists := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	paths := project.Paths{Config: "config.yml"}
	for _, name := range []string{"domain.yml", "domain", "data"} {
		if exists(name) {
			paths.Domain = append(paths.Domain, name)
		}
	}
	for _, name := range []string{"data", "stories.yml", "rules.yml"} {
		if exists(name) {
			paths.Data = append(paths.Data, name)
		}
	}
	p := project.Load(dir, paths, &diag.List{})
	if len(p.Stories.Blocks) == 0 {
		return nil, nil, errors.New("no stories")
	}
	return p.Domain, p.Stories, nil
}
