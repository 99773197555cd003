package duckling_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/duckling"
)

func build(t *testing.T, c graph.Config, log io.Writer) *duckling.Extractor {
	t.Helper()
	env := graph.Env{Logger: slog.New(slog.NewTextHandler(log, nil))}
	component, err := duckling.Type(duckling.Settings{}).Build(env, c, nil)
	if err != nil {
		t.Fatal(err)
	}
	return component.(*duckling.Extractor)
}

func process(t *testing.T, e *duckling.Extractor, text string, timeMilli int64) *nlu.Message {
	t.Helper()
	m := &nlu.Message{TimeMilli: timeMilli}
	m.Values[nlu.Text] = text
	if err := e.Process(t.Context(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m
}

// record is what Rasa 3.6.21 asked a server that gave that answer, and what it
// made of it. Where its component fails, ours logs and finds nothing.
type record struct {
	Config   graph.Config
	Answer   string
	Status   int
	Path     string // "" where nothing was asked
	Form     map[string]string
	Entities []map[string]any
	Error    string
}

func TestAsksAndAnswersAsRasa(t *testing.T) {
	f, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		r.replay(t)
	}
}

func (r *record) replay(t *testing.T) {
	t.Helper()
	got := record{Config: r.Config, Answer: r.Answer, Status: r.Status, Error: r.Error}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		got.Path, got.Form = request.URL.Path, map[string]string{}
		if err := request.ParseForm(); err != nil {
			t.Error(err)
		}
		for k := range request.PostForm {
			got.Form[k] = request.PostForm.Get(k)
		}
		w.WriteHeader(r.Status)
		_, _ = io.WriteString(w, r.Answer)
	}))
	defer server.Close()
	config := maps.Clone(r.Config)
	if u, set := config["url"]; !set || u != nil {
		path, _ := u.(string)
		config["url"] = server.URL + path
	}
	var log strings.Builder
	said, _ := strconv.ParseInt(r.Form["reftime"], 10, 64)
	m := process(t, build(t, config, &log), r.Form["text"], said+321)

	result := asJSON(t, m.ParseResult())["entities"].([]any)
	for _, e := range result {
		got.Entities = append(got.Entities, e.(map[string]any))
	}
	want := *r
	want.Entities = slices.DeleteFunc(want.Entities, func(e map[string]any) bool {
		return e["end"].(float64) > float64(len([]rune(r.Form["text"]))) // ours believes only what is in the text
	})
	if len(want.Entities) == 0 {
		want.Entities = nil
	}
	got.Form, want.Form = spaceless(got.Form), spaceless(want.Form)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s: %s", r.Answer, d)
	}
	if r.Error != "" && !strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("%s: the log says %q", r.Answer, log.String())
	}
}

// spaceless takes the spaces out of the list of dimensions, which is JSON.
func spaceless(form map[string]string) map[string]string {
	if form != nil {
		form["dims"] = strings.ReplaceAll(form["dims"], " ", "")
	}
	return form
}

func asJSON(t *testing.T, v any) (out map[string]any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheEnvironmentNamesTheServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `[{"body":"5","start":0,"end":1,"dim":"number","value":{"value":5}}]`)
	}))
	defer server.Close()
	t.Setenv("RASA_DUCKLING_HTTP_URL", server.URL+"/")
	for _, configured := range []any{nil, "", "http://127.0.0.1:1"} {
		if m := process(t, build(t, graph.Config{"url": configured}, io.Discard), "5", 0); len(m.Entities) != 1 || m.Entities[0].Value != int64(5) {
			t.Errorf("url %v: %+v", configured, m.Entities)
		}
	}
}

func TestWithoutServerThereIsOneWarning(t *testing.T) {
	var log strings.Builder
	e := build(t, nil, &log)
	process(t, e, "5", 0)
	process(t, e, "6", 0)
	if strings.Count(log.String(), "level=WARN") != 1 || !strings.Contains(log.String(), "RASA_DUCKLING_HTTP_URL") {
		t.Error(log.String())
	}
}

// A server that is down, slow or lying costs its entities and nothing else.
func TestServersThatAreOfNoUse(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the text went to another host") }))
	defer other.Close()
	down := httptest.NewServer(nil)
	down.Close()
	answers := map[string]http.HandlerFunc{
		"context deadline exceeded": func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body) // only then is it noticed that the client has left
			<-r.Context().Done()
		},
		"answered 503": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>busy</html>", http.StatusServiceUnavailable)
		},
		"not the JSON of a list": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>hello</html>") },
		"something follows":      func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "[][]") },
		"has more than 4194304 bytes": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "["+strings.Repeat(" ", 5<<20)+"]")
		},
		"more than 10000 matches": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "[{}"+strings.Repeat(",{}", 10_000)+"]")
		},
		"levels deep": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `[{"start":0,"end":1,"dim":"x","value":{"value":`+strings.Repeat("[", 1000)+strings.Repeat("]", 1000)+"}}]")
		},
		"outside of the text": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `[{"start":-1,"end":1,"dim":"x","value":{}},{"start":2,"end":1,"dim":"x","value":{}}]`)
		},
		"redirects to another host": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		},
		"unexpected EOF": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = io.WriteString(w, "[")
		},
		"refused": nil,
	}
	for want, answer := range answers {
		t.Run(want, func(t *testing.T) {
			url := down.URL
			if answer != nil {
				server := httptest.NewServer(answer)
				defer server.Close()
				url = server.URL
			}
			url = strings.Replace(url, "://", "://user:secret@", 1)
			var log strings.Builder
			timeout := 60.0
			if want == "context deadline exceeded" {
				timeout = 0.05
			}
			m := process(t, build(t, graph.Config{"url": url, "timeout": timeout}, &log), "tomorrow at 5", 0)
			if len(m.Entities) != 0 || !strings.Contains(log.String(), want) || strings.Contains(log.String(), "secret") {
				t.Errorf("%+v, log: %s", m.Entities, log.String())
			}
		})
	}
}

func TestLongTextsAreNotSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it was sent") }))
	defer server.Close()
	var log strings.Builder
	process(t, build(t, graph.Config{"url": server.URL}, &log), strings.Repeat("5 ", 60_000), 0)
	if !strings.Contains(log.String(), "a text of 120000 characters is not sent") {
		t.Error(log.String())
	}
}

// When the turn ends, so does the request.
func TestCancelledTurnsDoNotWait(t *testing.T) {
	arrived, left := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
		close(left)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	m := &nlu.Message{}
	m.Values[nlu.Text] = "tomorrow"
	if err := build(t, graph.Config{"url": server.URL, "timeout": 300}, io.Discard).Process(ctx, []*nlu.Message{m}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("the server was left waiting")
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, c := range []struct {
		config graph.Config
		want   string
	}{
		{graph.Config{"url": "localhost:8000"}, "not the URL of an HTTP server"},
		{graph.Config{"url": "unix:///run/duckling"}, "not the URL of an HTTP server"},
		{graph.Config{"timeout": 0}, "no time for an answer"},
		{graph.Config{"dimensions": "time"}, "dimensions"},
		{graph.Config{"url": "http://localhost:8000", "timeout": nil, "dimensions": []any{"time"}}, "[]"},
	} {
		if got := fmt.Sprint(duckling.Type(duckling.Settings{}).Check(c.config)); !strings.Contains(got, c.want) {
			t.Errorf("%v: %s", c.config, got)
		}
	}
}
