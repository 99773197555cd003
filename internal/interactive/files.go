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
	"github.com/loquat-dev/loquat/internal/safefile"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Files says where a session's outcome goes.
type Files struct {
	Stories, NLU, Domain string // proposals; the person may choose others
	// Write replaces all of the files, or none.
	Write func([]safefile.File) error
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
	var changed []safefile.File
	for _, path := range order {
		if string(contents[path]) != string(before[path]) {
			changed = append(changed, safefile.File{Path: path, Data: contents[path]})
		}
	}
	if err := s.write(changed); err != nil {
		s.Ask.printf("%v\nNothing was exported.\n", err)
		return false, nil
	}
	for _, f := range changed {
		s.Ask.printf("Wrote %s\n", f.Path)
	}
	return true, nil
}

func (s *Session) write(files []safefile.File) error {
	for _, f := range files {
		if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
			return fmt.Errorf("write %s: %w", f.Path, err)
		}
	}
	return s.Files.Write(files)
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
// not have: interactive_story_1 and so on, as Rasa calls them. A story whose steps
// the file has already is left out: it was exported before, or says nothing new.
func (l *Learned) AppendStories(file []byte) ([]byte, error) {
	var problems diag.List
	names, told := map[string]bool{}, map[string]bool{}
	if list := yamlfile.Parse(file, "", &problems).Get("stories"); list != nil {
		for _, item := range list.Items {
			names[item.Get("story").TextOrEmpty()] = true
			told[steps(item)] = true
		}
	}
	out := file
	if len(out) == 0 {
		out = []byte("version: \"" + yamlfile.FormatVersion + "\"\n")
	}
	number := 1
	for _, events := range l.Stories {
		for names[storyName(number)] {
			number++
		}
		text := story.WriteTraining(storyName(number), events, l.EndToEnd)
		steps := stepsOf(text)
		if told[steps] {
			continue
		}
		told[steps] = true
		number++
		var err error
		if out, err = yamlfile.Append(out, "stories", text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// stepsOf is steps of the text of a list of one story, as a file would hold it.
func stepsOf(text string) string {
	var problems diag.List // none: it is our own
	if list := yamlfile.Parse(yamlfile.File(text), "", &problems); list != nil && len(list.Items) == 1 {
		return steps(list.Items[0])
	}
	return text
}

func storyName(number int) string { return fmt.Sprintf("interactive_story_%d", number) }

// steps is what a story says, however it is written.
func steps(item *yamlfile.Node) string {
	if n := item.Get("steps"); n != nil {
		return n.YAML(0)
	}
	return ""
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
