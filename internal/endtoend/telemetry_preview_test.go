package endtoend

import (
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// masked leaves out what differs between two reports of the same event.
func masked(report map[string]any) map[string]any {
	out := maps.Clone(report)
	delete(out, "messageId")
	delete(out, "timestamp")
	if p, ok := out["properties"].(map[string]any); ok {
		p = maps.Clone(p)
		delete(p, "training_id")
		out["properties"] = p
	}
	return out
}

// TestDebugPrintsAndSendsNothing compares what is printed with what is recorded.
func TestDebugPrintsAndSendsNothing(t *testing.T) {
	c := newCollector(t, nil)
	i := install(t).seen().with(c.env())
	i.ok("train")
	requests := c.count()
	waiting, lines := i.status().Spool.Events, len(i.recorded())
	printed := i.with(map[string]string{"RASA_TELEMETRY_DEBUG": "TRUE"}).loquat("train", "--quiet")
	if c.count() != requests || i.status().Spool.Events != waiting || len(i.recorded()) != lines {
		t.Errorf("%d requests, %d reports wait, were %d", c.count()-requests, i.status().Spool.Events, waiting)
	}
	var reports []map[string]any
	for _, text := range strings.Split(printed.stderr, "Telemetry Event:\n")[1:] {
		report, err := telemetry.Decode([]byte(text))
		if err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		reports = append(reports, masked(report))
	}
	var recorded []map[string]any
	for _, r := range i.recorded() {
		recorded = append(recorded, masked(r))
	}
	if diff := cmp.Diff(recorded, reports); diff != "" {
		t.Errorf("recorded (-) and printed (+):\n%s", diff)
	}
	i.ok("telemetry", "disable")
	off := i.with(map[string]string{"RASA_TELEMETRY_DEBUG": "true"}).loquat("data", "validate")
	if !strings.Contains(off.stderr, "telemetry is off") || !strings.Contains(off.stderr, `"userId": null`) {
		t.Errorf("switched off, debug prints: %s", off.stderr)
	}
}

// TestPreviewIsWhatArrives sends every event of the catalogue to the program's own
// receiver, over TLS, and compares what it stores with the preview.
func TestPreviewIsWhatArrives(t *testing.T) {
	i := install(t).seen()
	i.write("credentials.yml", "rest:\n")
	i.write("markers.yml", markersFile)
	i.write("data/stories.yml", "version: \"3.1\"\nstories:\n- story: hello\n  steps:\n  - intent: greet\n  - action: utter_greet\n")
	i.ok("train")
	preview := map[string]map[string]any{}
	for _, name := range telemetry.EventNames() {
		report, err := telemetry.Decode([]byte(i.ok("telemetry", "preview", name)))
		if err != nil {
			t.Fatal(err)
		}
		preview[name] = masked(report)
	}
	broken := *i // the same installation, another project
	broken.dir = t.TempDir()
	writeProject(t, broken.dir)
	broken.write(".git/config", "[remote \"origin\"]\n\turl = https://example.com/acme/bot.git\n")
	broken.write("config.yml", "recipe: default.v1\npipeline:\n- name: NoSuchThing\n")
	report, err := telemetry.Decode([]byte(broken.ok("telemetry", "preview", "Error", "Encountered")))
	if err != nil {
		t.Fatal(err)
	}
	preview["Error Encountered"] = masked(report)
	delete(preview, "Telemetry Disabled") // never sent

	receiver := i.receive()
	sending := i.with(receiver.env)
	sending.serveKeeping("--enable-api=false").stop()
	for _, args := range [][]string{
		{"data", "validate"}, {"train"}, {"train", "--force", "--out", "config.yml/models"}, {"data", "split", "nlu"}, {"data", "convert", "nlu", "--out", "converted.yml"},
		{"test", "nlu", "--no-plot"}, {"test", "core", "--no-plot"}, {"visualize"}, {"evaluate", "markers", "all", "out.csv"}, {"shell"},
		{"interactive", "-m", "models", "--port", freePort(t)},
		{"init", "--no-prompt", "--init-dir", "made"},
	} {
		sending.loquat(args...)
	}
	broken.env = sending.env
	broken.loquat("train")
	stored := map[string][]map[string]any{}
	arrived := func(name string) bool {
		return slices.ContainsFunc(stored[name], func(got map[string]any) bool { return cmp.Equal(preview[name], got) })
	}
	sending.deliver(func() bool {
		stored = receiver.stored()
		return !slices.ContainsFunc(slices.Collect(maps.Keys(preview)), func(name string) bool { return !arrived(name) })
	})
	for name, want := range preview {
		if !arrived(name) {
			t.Errorf("%s: the preview is not among what is stored:\n%s", name, cmp.Diff(want, append(stored[name], nil)[0]))
		}
	}
}

// stored are the reports that a receiver has, by event and without what differs
// between two of the same event.
func (b *background) stored() map[string][]map[string]any {
	b.t.Helper()
	files, err := filepath.Glob(filepath.Join(b.dir, "*.jsonl"))
	if err != nil {
		b.t.Fatal(err)
	}
	out := map[string][]map[string]any{}
	for _, file := range files {
		for line := range strings.Lines(readFile(b.t, file)) {
			if !strings.HasSuffix(line, "\n") {
				continue // it is being written
			}
			report, err := telemetry.Decode([]byte(line))
			if err != nil {
				b.t.Fatal(err)
			}
			name := report["event"].(string)
			out[name] = append(out[name], masked(report))
		}
	}
	return out
}
