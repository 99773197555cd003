// Package samplebots makes the sample assistants with conversation tests ready to
// be tried: with a configuration that needs nothing but this program, with the
// custom actions that they come without, and with the messages of their tests.
//
// testdata/conversations has what replaces files of an assistant: a config.yml
// without spaCy, Duckling and LanguageModelFeaturizer, and examples of an entity
// that those found. The same actions in Python are there, too.
package samplebots

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Names are the assistants.
var Names = []string{"rasa-formbot", "rasa-initial-project", "rasa-gradio-bot", "financial-demo", "rasa-e2ebot"}

// Actions returns the action server of an assistant; nil for one without custom
// actions.
func Actions(bot string) *actionsdk.Server {
	switch bot {
	case "rasa-formbot":
		return restaurant()
	case "financial-demo":
		return bank()
	}
	return nil
}

// PythonModule names the same actions in testdata/conversations/actions.
func PythonModule(bot string) string {
	return map[string]string{"rasa-formbot": "actions.restaurant", "financial-demo": "actions.bank"}[bot]
}

// Copy writes the files of an assistant, which are in bots, into dir, and then what
// replaces them, which is in replacements.
func Copy(dir, bots, replacements, bot string) error {
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(bots, bot))); err != nil {
		return err
	}
	files := os.DirFS(filepath.Join(replacements, bot))
	err := fs.WalkDir(files, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		to := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err // it may be read-only
		}
		return os.WriteFile(to, data, 0o600)
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it needs no other files
	}
	return err
}

// Conversation is what the user says in a conversation test.
type Conversation struct {
	Name     string
	Messages []string
}

// Conversations are those of the tests of an assistant in dir. A step without a
// text is said as /intent.
func Conversations(dir string) ([]Conversation, error) {
	var problems diag.List
	g := project.LoadStories(filepath.Join(dir, "tests"), nil, true, &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var out []Conversation
	for _, b := range g.Blocks {
		c := Conversation{Name: b.Name}
		for _, e := range b.Events {
			if u, ok := e.Event.(*tracker.UserUttered); ok {
				text, err := spoken(u)
				if err != nil {
					return nil, err
				}
				c.Messages = append(c.Messages, text)
			}
		}
		out = append(out, c)
	}
	return out, nil
}

func spoken(u *tracker.UserUttered) (string, error) {
	if u.HasText {
		return u.Text, nil
	}
	if len(u.Entities) == 0 {
		return "/" + u.Intent, nil
	}
	values := map[string]any{}
	for _, e := range u.Entities {
		values[fmt.Sprint(e["entity"])] = e["value"]
	}
	data, err := json.Marshal(values)
	return "/" + u.Intent + string(data), err
}
