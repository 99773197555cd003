package app

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// TestEveryComponentHasItsNameInReports: a built-in one must not be "custom".
func TestEveryComponentHasItsNameInReports(t *testing.T) {
	for _, c := range catalog(nil) {
		if len(c.Kinds) == 0 {
			continue
		}
		for _, name := range []string{c.Name, c.ClassPath} {
			if name != "" && telemetry.Named[telemetry.Component](name).String() != name {
				t.Errorf("%s is not on the list of components", name)
			}
		}
	}
}

func TestErrorCodesComeFromTheKindOfError(t *testing.T) {
	var problems diag.List
	problems.Warnf(diag.Position{}, "unused-intent", "", "a warning")
	problems.Errorf(diag.Position{}, "unknown-slot", "", "an error about %s", "a secret")
	for want, err := range map[string]error{
		"unknown-slot": diag.Problems(problems.All()),
		"missing-path": fmt.Errorf("read secret: %w", fs.ErrNotExist),
		"timeout":      fmt.Errorf("secret: %w", context.DeadlineExceeded),
		"other":        fmt.Errorf("secret"),
	} {
		if got := ErrorCode(err).String(); got != want {
			t.Errorf("%v: %s, want %s", err, got, want)
		}
	}
}

// TestTypesOfEndpointsAreReportedHoweverTheyAreWritten: Rasa's documentation writes
// "SQL", its code compares in lower case.
func TestTypesOfEndpointsAreReportedHoweverTheyAreWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "endpoints.yml")
	text := "tracker_store: {type: SQL}\nlock_store: {type: In_Memory}\nevent_broker: {type: File}\nnlg: {type: my.secret.NLG}\ntracing: [{type: jaeger}, {type: otlp}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e := serverStarted(ServeOptions{Endpoints: path}, nil, nil)
	got := []string{e.TrackerStore.String(), e.LockStore.String(), e.EventBroker.String(), e.NLG.String(), e.Tracing.String()}
	if want := []string{"sql", "in_memory", "file", "custom", "jaeger"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestChannelsAreReportedSortedAndOnce: two of a project's own are custom.
func TestChannelsAreReportedSortedAndOnce(t *testing.T) {
	var got []string
	for _, c := range serverStarted(ServeOptions{}, []string{"slack", "my.First", "rest", "my.Second", "rest"}, nil).InputChannels {
		got = append(got, c.String())
	}
	if want := []string{"custom", "rest", "slack"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestATrainingIsReportedAsItIs: with the language alone of its region, no negative count,
// and as no failure if it was interrupted.
func TestATrainingIsReportedAsItIs(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "config.yml")
	text := "language: pt_BR\npipeline:\n- name: SingleStepLLMCommandGenerator\n  llm: {model: gpt-4, request_timeout: -5}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var unused diag.List
	p := project.Load(dir, project.Paths{Config: config}, &unused)
	var printed bytes.Buffer
	r := telemetry.Start(telemetry.Settings{
		LookupEnv: func(name string) (string, bool) { return "true", name == "RASA_TELEMETRY_DEBUG" }, GitRemote: func() string { return "" },
	}, telemetry.Options{Notice: &printed})
	reportTraining(r, p, TrainBoth, true)(context.Canceled)
	for _, want := range []string{`"language": "pt"`, `"request_timeout": 0`, `"is_finetuning": true`, `"model": "gpt-4"`} {
		if !strings.Contains(printed.String(), want) {
			t.Errorf("%s is missing in %s", want, printed.String())
		}
	}
	if strings.Contains(printed.String(), "Training Failed") {
		t.Error("an interrupted training failed")
	}
	reportTraining(r, p, TrainBoth, true)(fs.ErrPermission)
	if !strings.Contains(printed.String(), `"error_code": "no-permission"`) {
		t.Errorf("a failure is missing in %s", printed.String())
	}
}
