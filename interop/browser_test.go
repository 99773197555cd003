package interop_test

import (
	"context"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// The page of visualize is opened in a real browser, which says what it made of
// it: as many nodes and edges as the program told, none of them hidden, nothing
// executed and nothing fetched.
func TestBrowserShowsTheStoryGraph(t *testing.T) {
	browser := setting(t, "LOQUAT_TEST_BROWSER")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(sharedtest.ModuleRoot(t), "examples", "starter"))); err != nil {
		t.Fatal(err)
	}
	hostile := "stories:\n- story: hostile\n  steps: [{intent: greet}, {action: '<script>document.body.remove()</script>'}, {action: '<img src=x onerror=alert(1)>'}]\n"
	if err := os.WriteFile(filepath.Join(dir, "data", "hostile.yml"), []byte(hostile), 0o644); err != nil {
		t.Fatal(err)
	}
	told, err := run(t, dir, nil, "visualize", "--out", "graph.html", "--quiet")
	if err != nil {
		t.Fatal(told, err)
	}
	counts := regexp.MustCompile(`Drew (\d+) nodes and (\d+) edges`).FindStringSubmatch(told)
	if counts == nil {
		t.Fatalf("no counts in %q", told)
	}

	page := "file://" + filepath.Join(dir, "graph.html")
	dom, log := browse(t, browser, dir, "--dump-dom", page)
	for what, want := range map[string]string{`<g class="node `: counts[1], `<path class="edge`: counts[2], "<script": "0", "<img": "0"} {
		if n := strings.Count(dom, what); strconv.Itoa(n) != want {
			t.Errorf("%q is in the page %d times, want %s", what, n, want)
		}
	}
	if strings.Contains(log, "Refused to") || strings.Contains(log, "Content Security Policy") {
		t.Errorf("the page wanted more than it may:\n%s", log)
	}

	browse(t, browser, dir, "--screenshot="+filepath.Join(dir, "graph.png"), "--window-size=1200,800", page)
	if n := colours(t, filepath.Join(dir, "graph.png")); n < 6 {
		t.Errorf("the picture has %d colours; boxes of four kinds, lines and letters have more", n)
	}
}

// browse runs a browser without a window to its end.
func browse(t *testing.T, browser, dir string, args ...string) (out, log string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	profile := "--user-data-dir=" + filepath.Join(dir, "profile")
	cmd := exec.CommandContext(ctx, browser, append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", profile}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	data, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(data), stderr.String()
}

// colours counts the different colours of a picture.
func colours(t *testing.T, file string) int {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[color.Color]bool{}
	for y := picture.Bounds().Min.Y; y < picture.Bounds().Max.Y; y++ {
		for x := picture.Bounds().Min.X; x < picture.Bounds().Max.X; x++ {
			seen[picture.At(x, y)] = true
		}
	}
	return len(seen)
}
