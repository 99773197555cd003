package dialoguetest

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// Build makes a policy, untrained or as it was saved.
func Build(t testing.TB, of graph.Type, config graph.Config, threads int, saved graph.Resource) dialogue.Policy {
	t.Helper()
	p, err := of.Build(graph.Env{Logger: slog.New(slog.DiscardHandler), Threads: threads}, config, saved)
	if err != nil {
		t.Fatal(err)
	}
	return p.(dialogue.Policy)
}

// Persist trains a policy and returns what it saves.
func Persist(t testing.TB, of graph.Type, data dialogue.TrainingData, config graph.Config, threads int) graph.Resource {
	t.Helper()
	p := Build(t, of, config, threads, nil)
	if err := p.Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	saved, err := p.(graph.Persister).Persist()
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

// Train gives a policy as it is after training, saving and loading.
func Train(t testing.TB, of graph.Type, data dialogue.TrainingData, config graph.Config) dialogue.Policy {
	t.Helper()
	return Build(t, of, config, 1, Persist(t, of, data, config, 1))
}

// SameOnAnyNumberOfCores trains a policy with one thread and with three.
func SameOnAnyNumberOfCores(t *testing.T, of graph.Type, data dialogue.TrainingData) {
	t.Helper()
	if diff := cmp.Diff(Persist(t, of, data, nil, 1), Persist(t, of, data, nil, 3)); diff != "" {
		t.Errorf("1 and 3 threads learn different bytes:\n%s", diff)
	}
}

// NamesSettingsWithoutEffect trains a policy with settings of which those in vain
// have no effect: they must be named once, and docs/compatibility.md must list all
// that there are.
func NamesSettingsWithoutEffect(t *testing.T, of graph.Type, data dialogue.TrainingData, config graph.Config, inVain, all []string) {
	t.Helper()
	var log bytes.Buffer
	p, err := of.Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(dialogue.Policy).Train(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	if got := log.String(); strings.Count(got, "without effect") != 1 || !strings.Contains(got, fmt.Sprintf("settings=%v", inVain)) {
		t.Errorf("log:\n%s", got)
	}
	doc, err := os.ReadFile(filepath.Join(sharedtest.ModuleRoot(t), "docs", "compatibility.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		if !strings.Contains(string(doc), "`"+name+"`") {
			t.Errorf("docs/compatibility.md does not list the setting %s", name)
		}
	}
}

// LoadsOrRefuses fuzzes a saved file of a policy.
func LoadsOrRefuses(f *testing.F, of graph.Type, data dialogue.TrainingData, fileName string) {
	for _, file := range Persist(f, of, data, nil, 1) {
		f.Add(file)
	}
	conversation := Conversation(data.Domain, "/greet")
	f.Fuzz(func(t *testing.T, file []byte) {
		p, err := of.Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, nil, graph.Resource{fileName: file})
		if err == nil {
			Predict(t, p.(dialogue.Policy), conversation)
		}
	})
}
