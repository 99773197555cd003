package interactive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Files says where a session's outcome goes.
type Files struct {
	Stories, NLU, Domain string // proposals; the person may choose others
	// Write replaces a file as a whole, or not at all.
	Write func(path string, data []byte) error
}

// export asks where to write, and writes. It reports whether the session is over:
// it goes on if something could not be written.
func (s *Session) export(ctx context.Context) (done bool, err error) {
	learned := s.Learned()
	if learned.Empty() {
		s.Ask.printf("There is nothing to export.\n")
		return true, nil
	}
	questions := []struct {
		question, proposal string
		merge              func([]byte) ([]byte, error)
	}{
		{"Export stories to (they are appended to what is there):", s.Files.Stories, learned.AppendStories},
		{"Export examples to (they are merged with what is there):", s.Files.NLU, learned.AppendExamples},
		{"Export the domain to (it is merged with what is there):", s.Files.Domain, learned.AppendTo},
	}
	// Two of them may name one file. Nothing is written before all is known.
	contents, before := map[string][]byte{}, map[string][]byte{}
	var order []string
	for _, q := range questions {
		for {
			path, err := s.Ask.text(ctx, q.question, q.proposal)
			if err != nil {
				return false, err
			}
			path = filepath.Clean(path)
			if ext := filepath.Ext(path); ext != ".yml" && ext != ".yaml" {
				s.Ask.printf("%s: training reads files named .yml or .yaml alone. Please name another file.\n", path)
				continue
			}
			data, known := contents[path]
			if !known {
				if data, err = read(path); err == nil {
					before[path] = data
				}
			}
			if err == nil {
				data, err = q.merge(data)
			}
			if err != nil {
				s.Ask.printf("%s: %v. Please name another file.\n", path, err)
				continue
			}
			if !known {
				order = append(order, path)
			}
			contents[path] = data
			break
		}
	}
	for _, path := range order {
		if string(contents[path]) == string(before[path]) {
			continue // nothing new
		}
		if err := s.write(path, contents[path]); err != nil {
			s.Ask.printf("%v\n", err)
			return false, nil
		}
		s.Ask.printf("Wrote %s\n", path)
	}
	return true, nil
}

func (s *Session) write(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return s.Files.Write(path, data)
}

// read gives a file's contents; none for a file that is not there.
func read(path string) ([]byte, error) {
	var problems diag.List
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	data := yamlfile.ReadBytes(path, filepath.ToSlash(path), &problems)
	return data, problems.Err()
}

// AppendStories adds the stories to the text of a file, under names that it does
// not have: interactive_story_1 and so on, as Rasa calls them.
func (l *Learned) AppendStories(file []byte) ([]byte, error) {
	var problems diag.List
	names := map[string]bool{}
	if list := yamlfile.Parse(file, "", &problems).Get("stories"); list != nil {
		for _, item := range list.Items {
			names[item.Get("story").TextOrEmpty()] = true
		}
	}
	out := file
	if len(out) == 0 {
		out = []byte("version: \"" + yamlfile.FormatVersion + "\"\n")
	}
	number := 1
	for _, events := range l.Stories {
		name := ""
		for ; name == "" || names[name]; number++ {
			name = fmt.Sprintf("interactive_story_%d", number)
		}
		names[name] = true
		var err error
		if out, err = yamlfile.Append(out, "stories", story.WriteTraining(name, events, l.EndToEnd)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// AppendExamples adds the examples to the text of a file.
func (l *Learned) AppendExamples(file []byte) ([]byte, error) {
	out, _, err := nludata.AppendExamples(file, l.Examples)
	return out, err
}

// Backup is all of it as one file that a project can hold.
func (l *Learned) Backup() ([]byte, error) {
	out, err := l.AppendStories(nil)
	if err != nil {
		return nil, err
	}
	if out, err = l.AppendExamples(out); err != nil {
		return nil, err
	}
	return l.AppendTo(out)
}
