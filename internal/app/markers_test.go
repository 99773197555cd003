package app_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/trackerstore/sqlstore"
)

// recordedMarkers are conversations, markers without negations and sequences (which
// Rasa gets wrong), and what "rasa evaluate markers" 3.6.21 wrote for them.
const recordedMarkers = "testdata/markers"

func TestMarkersAreThoseOfRasa(t *testing.T) {
	dir := t.TempDir()
	endpoints := storeConversations(t, filepath.Join(recordedMarkers, "conversations.jsonl"), dir)
	for _, o := range []app.MarkerOptions{
		{Strategy: app.AllConversations, Out: "all"},
		{Strategy: app.FirstConversations, Count: 3, Out: "first"},
		{Strategy: app.SampleConversations, Count: 4, Seed: big.NewInt(42), Out: "sample"},
	} {
		name := o.Out
		o.Out, o.Statistics = filepath.Join(dir, name+".csv"), filepath.Join(dir, name)
		o.Config, o.Domain = filepath.Join(recordedMarkers, "markers.yml"), filepath.Join(recordedMarkers, "domain.yml")
		o.Endpoints, o.Logger = endpoints, slog.New(slog.DiscardHandler)
		result, err := app.EvaluateMarkers(context.Background(), o)
		if err != nil || len(result.Files) != 3 {
			t.Fatalf("%+v %v", result, err)
		}
		for _, file := range result.Files {
			want := readText(t, filepath.Join(recordedMarkers, filepath.Base(file)))
			if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(readText(t, file), "\n")); diff != "" {
				t.Errorf("%s (-want +got)\n%s", filepath.Base(file), diff)
			}
		}
	}
}

func readText(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// storeConversations writes conversations, {id, events} on each line, into a SQLite
// tracker store in dir, and returns an endpoints.yml that names it.
func storeConversations(t *testing.T, file, dir string) string {
	t.Helper()
	d := &domain.Domain{}
	d.Complete()
	config := sqlstore.DefaultConfig()
	config.DB = filepath.Join(dir, "conversations.db")
	store, err := sqlstore.Open(t.Context(), config, d)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}()
	lines := bufio.NewScanner(strings.NewReader(readText(t, file)))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c struct {
			ID     string
			Events []json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		conversation := tracker.New(c.ID, d)
		for _, data := range c.Events {
			e, err := tracker.UnmarshalStored(data)
			if err != nil {
				t.Fatal(err)
			}
			conversation.Update(e)
		}
		if err := store.Save(t.Context(), conversation); err != nil {
			t.Fatal(err)
		}
	}
	endpoints := filepath.Join(dir, "endpoints.yml")
	if err := os.WriteFile(endpoints, []byte("tracker_store:\n  type: SQL\n  dialect: sqlite\n  db: "+config.DB+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return endpoints
}
