package app

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
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
	text := "tracker_store: {type: SQL}\nlock_store: {type: In_Memory}\nevent_broker: {type: File}\nnlg: {type: my.secret.NLG}\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	e := serverStarted(ServeOptions{Endpoints: path}, nil, nil)
	got := []string{e.TrackerStore.String(), e.LockStore.String(), e.EventBroker.String(), e.NLG.String()}
	if want := []string{"sql", "in_memory", "file", "custom"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
