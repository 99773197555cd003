package tracing_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracker"
)

var classes = tracing.Classes{TrackerStore: "SQLTrackerStore", LockStore: "InMemoryLockStore", Broker: "FileEventBroker"}

// remoteTurn is the handler of a turn that asks the action server once.
func remoteTurn(tr watched, server *actionServer, sender string) http.Handler {
	turns, nodes := tr.Turns(classes), tr.Nodes()
	do := func(ctx context.Context, s conversation.Step, inside func(context.Context) error) {
		ctx, end := turns.Before(ctx, &s)
		err := inside(ctx)
		s.NumberOfEvents = 7
		end(err) // what a step met is handled by the turn
	}
	nothing := func(context.Context) error { return nil }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		agent := conversation.Step{Name: conversation.StepAgent, ConversationID: sender, InputChannel: "rest", ModelID: "0f", ModelName: "m.tar.gz", Outcome: "answered"}
		do(r.Context(), agent, func(ctx context.Context) error {
			do(ctx, conversation.Step{Name: conversation.StepLock}, nothing)
			do(ctx, conversation.Step{Name: conversation.StepHandle}, func(ctx context.Context) error {
				do(ctx, conversation.Step{Name: conversation.StepLog, ConversationID: sender, MessageID: "m1"}, func(ctx context.Context) error {
					do(ctx, conversation.Step{Name: conversation.StepGetTracker}, nothing)
					do(ctx, conversation.Step{Name: conversation.StepParse, ConversationID: sender, MessageID: "m1"}, func(ctx context.Context) error {
						_, end := nodes.Before(ctx, graph.NodeRun{NodeName: "run_RegexFeaturizer1", Component: "RegexFeaturizer", Fn: "process"})
						end(graph.NodeResult{})
						return nil
					})
					return nil
				})
				do(ctx, conversation.Step{Name: conversation.StepPredictionLoop}, func(ctx context.Context) error {
					do(ctx, conversation.Step{Name: conversation.StepPredict, IntentName: "greet", RequestedSlot: "city"}, func(ctx context.Context) error {
						predict(ctx, nodes)
						return nil
					})
					do(ctx, conversation.Step{Name: conversation.StepAction, ConversationID: sender, MessageID: "m1", Action: "action_weather, é", Executor: "HTTPCustomActionExecutor"}, func(ctx context.Context) error {
						return server.call(ctx, tr.ActionServer, "action_weather, é", sender)
					})
					return nil
				})
				do(ctx, conversation.Step{Name: conversation.StepSaveTracker}, func(ctx context.Context) error {
					do(ctx, conversation.Step{Name: conversation.StepPublish}, nothing)
					return nil
				})
				return nil
			})
			return nil
		})
	})
}

// predict makes the spans of one policy and the ensemble.
func predict(ctx context.Context, nodes graph.Hook) {
	made := &dialogue.Prediction{
		Policy: "RulePolicy", Priority: 6, Metadata: map[string]any{"utter": "x"},
		Events:         []tracker.Event{&tracker.SlotSet{}},
		OptionalEvents: []tracker.Event{&tracker.ActiveLoop{}, &tracker.ActiveLoop{}},
	}
	_, end := nodes.Before(ctx, graph.NodeRun{NodeName: "run_RulePolicy0", Component: "RulePolicy", Fn: "predict_action_probabilities"})
	end(graph.NodeResult{Output: made})
	_, end = nodes.Before(ctx, graph.NodeRun{NodeName: "select_prediction", Component: "DefaultPolicyPredictionEnsemble", Fn: "combine_predictions_from_kwargs"})
	end(graph.NodeResult{Output: made})
}

// post sends a request through the middleware.
func post(tr watched, next http.Handler, header http.Header) *httptest.ResponseRecorder {
	mux := http.NewServeMux()
	mux.Handle("POST /webhooks/rest/webhook", next)
	r := httptest.NewRequest(http.MethodPost, "/webhooks/rest/webhook?stream=true&token=secret", strings.NewReader("{}"))
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	tr.Middleware(mux).ServeHTTP(w, r)
	return w
}

func TestTreeOfATurn(t *testing.T) {
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	post(tr, remoteTurn(tr, server, "alice"), nil)
	golden(t, "turn.tree", tr.tree())
}

func TestTreeOfATurnWithAFailingAction(t *testing.T) {
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	server.status = http.StatusInternalServerError
	post(tr, remoteTurn(tr, server, "alice"), nil)
	server.status = http.StatusBadRequest
	post(tr, remoteTurn(tr, server, "rejected"), nil)
	server.Close()
	post(tr, remoteTurn(tr, server, "down"), nil)
	golden(t, "turn_failing.tree", tr.tree())
}

const incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestTraceGoesOnAtTheActionServer(t *testing.T) {
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	post(tr, remoteTurn(tr, server, "älice, b=c"), http.Header{
		"Traceparent": {incoming}, "Tracestate": {"vendor=1"}, "Baggage": {"tenant=acme,sender_id=forged"},
	})
	got := server.headers[0]
	if !strings.HasPrefix(got.Get("traceparent"), "00-0af7651916cd43dd8448eb211c80319c-") || got.Get("traceparent") == incoming {
		t.Errorf("traceparent %q", got.Get("traceparent"))
	}
	if got.Get("tracestate") != "vendor=1" {
		t.Errorf("tracestate %q", got.Get("tracestate"))
	}
	baggage := map[string]string{}
	for member := range strings.SplitSeq(got.Get("baggage"), ",") {
		k, v, _ := strings.Cut(member, "=")
		baggage[k], _ = url.PathUnescape(v)
	}
	for k, want := range map[string]string{"action_name": "action_weather, é", "sender_id": "älice, b=c", "message_id": "m1", "tenant": "acme"} {
		if baggage[k] != want {
			t.Errorf("baggage %s = %q, want %q (%s)", k, baggage[k], want, got.Get("baggage"))
		}
	}
	spans := tr.viewer.Turns()[0].Spans
	if spans[0].Parent.SpanID().String() != "b7ad6b7169203331" {
		t.Errorf("the root's parent is %s", spans[0].Parent.SpanID())
	}
	for _, s := range spans {
		if s.Name == "EndpointConfig.request" && !strings.Contains(got.Get("traceparent"), s.Context.SpanID().String()) {
			t.Errorf("the action server hangs below another span than %s", s.Context.SpanID())
		}
	}
}

func TestBaggageIsBoundedAndCanBeSwitchedOff(t *testing.T) {
	server := startActionServer(t)
	tr := watch(t, tracing.Config{})
	long := strings.Repeat("x", 3000)
	post(tr, remoteTurn(tr, server, long), http.Header{"Baggage": {"tenant=" + long}})
	got := server.headers[0].Get("baggage")
	if len(got) > 4<<10 || !strings.Contains(got, "sender_id="+long) || strings.Contains(got, "tenant") {
		t.Errorf("%d bytes of baggage: %.60s...", len(got), got)
	}
	off := watch(t, readConfig(t, "tracing: {type: jaeger, baggage: false}"))
	post(off, remoteTurn(off, server, "alice"), http.Header{"Baggage": {"tenant=acme"}})
	if got := server.headers[1]; got.Get("baggage") != "" || got.Get("traceparent") == "" {
		t.Errorf("with baggage: false the headers are %v", got)
	}
}

func TestOtherEndpointsGetNoBaggage(t *testing.T) {
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	ctx, end := tr.Turns(classes).Before(t.Context(), &conversation.Step{Name: conversation.StepAction, Action: "a"})
	if err := server.call(ctx, tr.Endpoint, "a", "alice"); err != nil {
		t.Fatal(err)
	}
	end(nil)
	if h := server.headers[0]; h.Get("baggage") != "" || h.Get("traceparent") == "" {
		t.Errorf("headers %v", h)
	}
}

func TestTrustInIncomingContext(t *testing.T) {
	for trust, want := range map[string]string{"true": "same trace", "link": "new trace, linked", "false": "new trace"} {
		tr := watch(t, readConfig(t, "tracing: {type: jaeger, trust_incoming: "+trust+"}"))
		post(tr, http.NotFoundHandler(), http.Header{"Traceparent": {incoming}})
		root := tr.viewer.Turns()[0].Spans[0]
		got := "new trace"
		if root.Context.TraceID().String() == "0af7651916cd43dd8448eb211c80319c" {
			got = "same trace"
		}
		if len(root.Links) == 1 {
			got += ", linked"
		}
		if got != want {
			t.Errorf("trust_incoming: %s gives %s, want %s", trust, got, want)
		}
	}
}

func TestUnsampledParentDropsTheTrace(t *testing.T) {
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	post(tr, remoteTurn(tr, server, "alice"), http.Header{"Traceparent": {strings.TrimSuffix(incoming, "01") + "00"}})
	if n := len(tr.viewer.Turns()); n != 0 {
		t.Errorf("%d turns were recorded", n)
	}
	if got := server.headers[0].Get("traceparent"); !strings.HasSuffix(got, "-00") || !strings.Contains(got, "0af7651916cd43dd8448eb211c80319c") {
		t.Errorf("traceparent %q", got)
	}
}

func TestMalformedContextStartsANewTrace(t *testing.T) {
	tr := watch(t, tracing.Config{})
	for _, bad := range []string{"", "00", "00-0-0-0", "00-00000000000000000000000000000000-b7ad6b7169203331-01", strings.Repeat("x", 10_000)} {
		post(tr, http.NotFoundHandler(), http.Header{"Traceparent": {bad}})
	}
	for _, turn := range tr.viewer.Turns() {
		if turn.Spans[0].Parent.IsValid() || !turn.Spans[0].Context.IsValid() {
			t.Errorf("span %+v", turn.Spans[0].Context)
		}
	}
}

func TestParallelSendersKeepTheirTraces(t *testing.T) {
	const senders = 1000
	tr, server := watch(t, tracing.Config{}), startActionServer(t)
	var wg sync.WaitGroup
	gate := make(chan struct{}, 50)
	for i := range senders {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			post(tr, remoteTurn(tr, server, fmt.Sprint("sender-", i)), nil)
		})
	}
	wg.Wait()
	turns := tr.viewer.Turns()
	if len(turns) != senders {
		t.Fatalf("%d turns, want %d", len(turns), senders)
	}
	for _, turn := range turns {
		if len(turn.Spans) != 18 {
			t.Fatalf("a turn has %d spans", len(turn.Spans))
		}
		seen := map[string]bool{}
		for _, s := range turn.Spans {
			for _, a := range s.Attributes {
				if a.Key == "sender_id" {
					seen[a.Value.AsString()] = true
				}
			}
			if s.Context.TraceID() != turn.Spans[0].Context.TraceID() {
				t.Fatal("a span of another trace")
			}
		}
		if len(seen) != 1 {
			t.Fatalf("one turn has spans of %v", seen)
		}
	}
	traces := map[string]bool{}
	for _, h := range server.headers {
		traces[strings.Split(h.Get("traceparent"), "-")[1]] = true
	}
	if len(traces) != senders {
		t.Errorf("the action server saw %d traces, want %d", len(traces), senders)
	}
}

func TestHealthChecksMakeNoSpans(t *testing.T) {
	tr := watch(t, tracing.Config{})
	h := tr.Middleware(http.NotFoundHandler())
	for _, path := range []string{"/", "/status", "/version", "/webhooks/rest/"} {
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	if n := len(tr.viewer.Turns()); n != 0 {
		t.Errorf("%d traces", n)
	}
}

func TestRequestsAreNamedByTheirRoute(t *testing.T) {
	tr := watch(t, tracing.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("/conversations/{id}/tracker", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/webhooks/rest/webhook/{$}", func(http.ResponseWriter, *http.Request) {})
	for _, c := range [][2]string{
		{"/conversations/a%2Fb/tracker", "GET /conversations/{conversation_id}/tracker"},
		{"/webhooks/rest/webhook/", "GET /webhooks/rest/webhook"},
		{"/phpmyadmin", "GET"},
	} {
		tr.Middleware(mux).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, c[0], nil))
		turns := tr.viewer.Turns()
		if got := turns[len(turns)-1].Spans[0].Name; got != c[1] {
			t.Errorf("%s is named %q, want %q", c[0], got, c[1])
		}
	}
}

func TestTraceIdentifierIsToldWhenAskedFor(t *testing.T) {
	tr := watch(t, readConfig(t, "tracing: {type: jaeger, expose_trace_id: true}"))
	w := post(tr, http.NotFoundHandler(), http.Header{"Traceparent": {incoming}})
	if got := w.Header().Get("X-Trace-Id"); got != "0af7651916cd43dd8448eb211c80319c" {
		t.Errorf("X-Trace-Id %q", got)
	}
	if got := w.Header().Get("traceresponse"); !strings.HasPrefix(got, "00-0af7651916cd43dd8448eb211c80319c-") {
		t.Errorf("traceresponse %q", got)
	}
}

func TestErrorsOfSpansQuoteNobody(t *testing.T) {
	for capture, want := range map[bool]bool{false: false, true: true} {
		tr := watch(t, readConfig(t, fmt.Sprintf("tracing: {type: jaeger, capture_content: %v}", capture)))
		_, end := tr.Turns(classes).Before(t.Context(), &conversation.Step{Name: conversation.StepPredictionLoop})
		end(fmt.Errorf("the action server said %w", errors.New("my word is swordfish")))
		span := tr.viewer.Turns()[0].Spans[0]
		if got := strings.Contains(fmt.Sprint(span.Description, span.Events), "swordfish"); got != want {
			t.Errorf("capture_content: %v, and the user's words are in the span: %v", capture, got)
		}
	}
}
