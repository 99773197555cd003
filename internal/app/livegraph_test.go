package app

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestLiveGraphShowsTheConversation(t *testing.T) {
	dir := t.TempDir()
	stories := filepath.Join(dir, "stories.yml")
	if err := os.WriteFile(stories, []byte("stories:\n- story: s\n  steps: [{intent: greet}, {action: action_restart}]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "domain.yml"), []byte("intents: [greet]\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	o := InteractiveOptions{Out: &out, Paths: ProjectPaths{Domain: filepath.Join(dir, "domain.yml"), Data: []string{stories}}}
	o.Serve.Logger = slog.New(slog.DiscardHandler)
	g, stop := startGraph(t.Context(), o)
	defer stop()
	_, url, _ := strings.Cut(strings.TrimSpace(out.String()), " at ")
	get := func(path, host string) (int, string) {
		t.Helper()
		request, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if host != "" {
			request.Host = host
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, string(body)
	}
	if code, body := get("", ""); code != http.StatusOK || !strings.Contains(body, "action_restart") || strings.Contains(body, "utter_new") {
		t.Errorf("%d: %s", code, body)
	}
	g.show([][]tracker.Event{{&tracker.UserUttered{Intent: "greet"}, &tracker.ActionExecuted{Name: "utter_new"}}})
	if code, body := get("visualization.html", "localhost:5006"); code != http.StatusOK || !strings.Contains(body, "utter_new") {
		t.Errorf("%d: %s", code, body)
	}
	if code, _ := get("", "evil.example"); code != http.StatusMisdirectedRequest {
		t.Errorf("a foreign name is answered with %d", code)
	}
	if code, _ := get("etc", ""); code != http.StatusNotFound {
		t.Errorf("another path is answered with %d", code)
	}
}
