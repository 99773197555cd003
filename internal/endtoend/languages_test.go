package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"golang.org/x/text/unicode/norm"

	"github.com/loquat-dev/loquat/internal/nludata"
)

// parsed is what POST /model/parse answers.
type parsed struct {
	Text   string
	Intent struct {
		Name       string
		Confidence float64
	}
	Entities []struct {
		Entity, Value string
		Start, End    int
	}
	Tokens [][2]int `json:"text_tokens"`
}

// cut is the text between two offsets, in code points.
func (p *parsed) cut(start, end int) string { return string([]rune(p.Text)[start:end]) }

// Each archive is a small assistant and texts that it has not seen, annotated as
// in training data. Those of nfd are said with their characters decomposed: the
// words are then other words for the featurizers, but offsets must be right.
func TestLanguages(t *testing.T) {
	files, err := filepath.Glob("testdata/languages/*.txtar")
	if err != nil || len(files) < 6 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			sections := extract(t, archive, dir)
			run(t, dir, "train", "nlu")
			s := startServer(t, dir)
			for line := range strings.Lines(sections["parse"]) {
				intent, text := annotated(t, line)
				got := s.parse(t, text.Text)
				got.check(t, text)
				if got.Intent.Name != intent || len(got.Entities) != len(text.Entities) {
					t.Errorf("%s: got %s %v", line, got.Intent.Name, got.Entities)
				}
			}
			for line := range strings.Lines(sections["nfd"]) {
				intent, text := annotated(t, norm.NFD.String(line))
				got := s.parse(t, text.Text)
				got.check(t, text)
				if got.Intent.Name != intent {
					t.Errorf("%s in NFD: got %s %v", line, got.Intent.Name, got.Entities)
				}
			}
		})
	}
}

// check compares entities with the annotations at the same place, and that all
// offsets are those of the text that was sent.
func (p *parsed) check(t *testing.T, want nludata.Example) {
	t.Helper()
	if p.Text != want.Text {
		t.Errorf("got the text %q, want %q", p.Text, want.Text)
	}
	for _, e := range p.Entities {
		if got := p.cut(e.Start, e.End); got != e.Value {
			t.Errorf("%q: the entity %q is %q by its offsets", p.Text, e.Value, got)
		}
	}
	for i, e := range want.Entities {
		if i >= len(p.Entities) {
			break // the caller counts
		}
		if got := p.Entities[i]; got.Entity != e.Entity || got.Start != e.Start || got.End != e.End {
			t.Errorf("%q: got %+v, want %+v", p.Text, got, e)
		}
	}
	for _, token := range p.Tokens {
		if word := p.cut(token[0], token[1]); word == "" || strings.TrimSpace(word) != word {
			t.Errorf("%q: the token at %v is %q", p.Text, token, word)
		}
	}
}

// annotated reads "intent: text with [annotations](entity)".
func annotated(t *testing.T, line string) (intent string, e nludata.Example) {
	t.Helper()
	intent, text, _ := strings.Cut(strings.TrimSpace(line), ": ")
	plain, entities, err := nludata.ParseAnnotated(text)
	if err != nil {
		t.Fatal(err)
	}
	return intent, nludata.Example{Text: plain, Entities: entities}
}

// extract writes the files of an archive and returns the sections that are no
// files of a project: their names have no extension.
func extract(t *testing.T, a *txtar.Archive, dir string) map[string]string {
	t.Helper()
	sections := map[string]string{}
	for _, f := range a.Files {
		if filepath.Ext(f.Name) == "" {
			sections[f.Name] = string(f.Data)
			continue
		}
		path := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return sections
}

func (s *crashServer) parse(t *testing.T, text string) (p parsed) {
	t.Helper()
	body, err := json.Marshal(map[string]string{"text": text})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := s.post(t, "/model/parse", body)
	if status != http.StatusOK {
		t.Fatalf("%.80q: %d %s", text, status, answer)
	}
	if err := json.Unmarshal(answer, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func (s *crashServer) post(t *testing.T, path string, body []byte) (status int, answer []byte) {
	t.Helper()
	resp, err := http.Post(s.url+path, "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, answer
}
