package evaluate

import (
	"os"
	"path/filepath"
)

// ModelComparison is how many actions of the same stories one of several models
// chose as the stories say.
type ModelComparison struct {
	Model          string // path of its file
	Right, Actions int
}

// WriteModelComparison writes results.json and returns its path.
func WriteModelComparison(path string, models []ModelComparison) (string, error) {
	o := object{}
	for _, m := range models {
		o.add(m.Model, m.Right)
	}
	data, err := o.end()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return "", err
	}
	return path, WriteFile(path, append(data, '\n'))
}
