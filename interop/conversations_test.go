package interop_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/bench/samplebots"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// TestSampleConversationsAreTheSameWithBothSDKs says what users say in the
// conversation tests of the sample assistants that have custom actions, once with
// these actions in Go and once in Python, and compares answers and events.
func TestSampleConversationsAreTheSameWithBothSDKs(t *testing.T) {
	replacements := filepath.Join(sharedtest.ModuleRoot(t), "testdata", "conversations")
	for _, name := range samplebots.Names {
		if samplebots.Actions(name) == nil {
			continue
		}
		t.Run(name, func(t *testing.T) {
			setting(t, "LOQUAT_TEST_RASA_SDK")
			dir := t.TempDir()
			if err := samplebots.Copy(dir, sharedtest.Dir(t, "data", "bots"), replacements, name); err != nil {
				t.Fatal(err)
			}
			if out, err := run(t, dir, []string{"RASA_CACHE_DIRECTORY=" + t.TempDir()}, "train", "--skip-validation", "--fixed-model-name", "bot"); err != nil {
				t.Fatalf("train: %v\n%s", err, out)
			}
			conversations, err := samplebots.Conversations(dir)
			if err != nil {
				t.Fatal(err)
			}
			withGo := say(t, dir, conversations, serveSample(t, name))
			withPython := say(t, dir, conversations, launchPython(t, newestSDK, replacements, samplebots.PythonModule(name)))
			if diff := cmp.Diff(withPython, withGo); diff != "" {
				t.Errorf("answers or events differ (-python +go):\n%s", diff)
			}
			if len(withGo) < 2*len(conversations) || !strings.Contains(strings.Join(withGo, "\n"), "bot: ") {
				t.Errorf("%d lines of %d conversations are too few to compare", len(withGo), len(conversations))
			}
		})
	}
}

// serveSample serves the actions of a sample assistant and returns the URL.
func serveSample(t *testing.T, name string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := samplebots.Actions(name)
	s.Logger = slog.New(slog.DiscardHandler)
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/webhook"
}

// say has all conversations with an assistant and returns what was said, then all
// events without what differs from run to run. No action may fail.
func say(t *testing.T, dir string, conversations []samplebots.Conversation, actions string) []string {
	t.Helper()
	published := filepath.Join(t.TempDir(), "events.jsonl")
	endpoints := fmt.Sprintf("action_endpoint: {url: '%s'}\nevent_broker: {type: file, path: '%s'}\n", actions, published)
	if err := os.WriteFile(filepath.Join(dir, "endpoints.yml"), []byte(endpoints), 0o600); err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	p := launch(t, dir, nil, listening("127.0.0.1:"+port), binary(t), "run", "--interface", "127.0.0.1", "--port", port, "--in-memory", "--connector", "rest")
	s := &server{p, t, "http://127.0.0.1:" + port}
	var out []string
	for i, c := range conversations {
		for _, text := range c.Messages {
			out = append(out, "user: "+text)
			for _, answer := range s.say(fmt.Sprint("user", i), text, "") {
				out = append(out, "bot: "+answer)
			}
		}
	}
	p.stop()
	if strings.Contains(p.out.String(), "action failed") {
		t.Errorf("an action failed:\n%s", p.out)
	}
	return append(out, eventsOf(t, published)...)
}
