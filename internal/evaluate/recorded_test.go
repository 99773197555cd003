package evaluate_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
)

// TestReportsAreThoseOfRasa trains the assistant in testdata/shop, whose
// components predict the same here and in Rasa, and compares every report with the
// ones that "rasa test nlu --successes --no-plot" of Rasa 3.6.21 wrote for the same
// examples. Those of random.yml are annotated at random, across tokens and inside
// of them.
//
// Numbers may differ in the last digits. Of confusions that are equally frequent,
// Rasa's choice is left to an unstable sort once there are many labels, so that
// only their numbers count then.
func TestReportsAreThoseOfRasa(t *testing.T) {
	shop, err := filepath.Abs(filepath.Join("testdata", "shop"))
	if err != nil {
		t.Fatal(err)
	}
	models := t.TempDir()
	logger := slog.New(slog.NewTextHandler(io.Discard, nil))
	if _, err := app.Train(t.Context(), app.TrainOptions{
		Part: app.TrainNLU, Out: models, CacheDir: t.TempDir(), Logger: logger, SkipValidation: true,
		Paths: app.ProjectPaths{Config: filepath.Join(shop, "config.yml"), Domain: "none", Data: []string{filepath.Join(shop, "data")}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, set := range []string{"plain", "spans", "random"} {
		t.Run(set, func(t *testing.T) {
			out := t.TempDir()
			if _, err := app.TestNLU(t.Context(), app.TestNLUOptions{
				Model: models, NLU: filepath.Join(shop, "tests", set+".yml"), Out: out, Successes: true, NoPlot: true, Logger: logger,
			}); err != nil {
				t.Fatal(err)
			}
			recorded := filepath.Join(shop, "recorded", set)
			want, got := names(t, recorded), names(t, out)
			if !slices.Equal(want, got) {
				t.Fatalf("files %v, want %v", got, want)
			}
			for _, name := range want {
				compare(t, name, read(t, filepath.Join(recorded, name)), read(t, filepath.Join(out, name)))
			}
		})
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func read(t *testing.T, path string) (v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func compare(t *testing.T, at string, want, got any) {
	t.Helper()
	switch want := want.(type) {
	case map[string]any:
		got, _ := got.(map[string]any)
		if !slices.Equal(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))) {
			t.Errorf("%s: keys %v, want %v", at, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
			return
		}
		for key := range want {
			if key == "confused_with" {
				compareConfusions(t, at, want[key], got[key])
				continue
			}
			compare(t, at+"/"+key, want[key], got[key])
		}
	case []any:
		got, _ := got.([]any)
		if len(want) != len(got) {
			t.Errorf("%s: %d entries, want %d", at, len(got), len(want))
			return
		}
		for i := range want {
			compare(t, fmt.Sprintf("%s/%d", at, i), want[i], got[i])
		}
	case float64:
		if got, ok := got.(float64); !ok || math.Abs(want-got) > 1e-12 {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	default:
		if want != got {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

// compareConfusions allows for another choice among equally frequent confusions,
// and one more or less where the label itself is as frequent as they are.
func compareConfusions(t *testing.T, at string, want, got any) {
	t.Helper()
	w, g := want.(map[string]any), got.(map[string]any)
	if maps.Equal(w, g) {
		return
	}
	counts := func(m map[string]any) (out []float64) {
		for _, v := range m {
			out = append(out, v.(float64))
		}
		slices.Sort(out)
		return out
	}
	a, b := counts(w), counts(g)
	n := min(len(a), len(b))
	ties := len(a) > 0 && len(b) > 0 && a[0] == b[0]
	if !ties || max(len(a), len(b))-n > 1 || !slices.Equal(a[len(a)-n:], b[len(b)-n:]) {
		t.Errorf("%s: confused with %v, want %v", at, g, w)
	}
}
