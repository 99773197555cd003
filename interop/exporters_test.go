package interop_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// TestExportersAgree sends the same spans, with every type of attribute, over
// every way, and compares what Jaeger makes of them.
func TestExportersAgree(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	for way, section := range ways {
		t.Run(way, func(t *testing.T) {
			if strings.Contains(way, "collector") {
				setting(t, "LOQUAT_TEST_COLLECTOR")
			}
			var problems diag.List
			root := yamlfile.Parse([]byte("tracing: "+section+"\n"), "endpoints.yml", &problems)
			tr, err := tracing.Start(tracing.ReadConfig(root, os.Getenv, &problems), tracing.Settings{Logger: slog.New(slog.DiscardHandler)})
			if err != nil || problems.HasErrors() {
				t.Fatal(err, problems.Err())
			}
			header, id := traceparent()
			r := httptest.NewRequest(http.MethodPost, "/webhooks/rest/webhook", nil)
			r.Header.Set("traceparent", header)
			tr.Middleware(everyAttribute(tr)).ServeHTTP(httptest.NewRecorder(), r)
			if err := tr.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
			want(t, "every_attribute", func() []tracetree.Span { return trace(t, id) })
		})
	}
}

func everyAttribute(tr *tracing.Tracing) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		turns := tr.Turns(tracing.Classes{TrackerStore: "SQLTrackerStore", LockStore: "InMemoryLockStore"})
		step := func(ctx context.Context, s conversation.Step, err error) context.Context {
			inner, end := turns.Before(ctx, &s)
			end(err)
			return inner
		}
		ctx := step(r.Context(), conversation.Step{Name: conversation.StepAgent, ConversationID: "ünï \"quoted\" 🌶", Outcome: "ok"}, nil)
		step(ctx, conversation.Step{Name: conversation.StepLock}, nil)
		step(ctx, conversation.Step{Name: conversation.StepSaveTracker, NumberOfEvents: 1 << 40}, nil)
		step(ctx, conversation.Step{Name: conversation.StepAction, Action: "action_x"}, errors.New("broken"))
		_, end := tr.Nodes().Before(ctx, graph.NodeRun{NodeName: "n", Component: "RulePolicy", Fn: "predict_action_probabilities"})
		end(graph.NodeResult{Output: &dialogue.Prediction{Priority: -1, Events: []tracker.Event{&tracker.SlotSet{}, &tracker.ActiveLoop{}}}})
	})
}
