package actionrpc_test

import (
	"context"
	"encoding/pem"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/actionrpc"
	"github.com/loquat-dev/loquat/internal/actionpb"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// server answers with what a test says and keeps what it was asked.
type server struct {
	actionpb.UnimplementedActionServiceServer
	answer   func(*actionpb.WebhookRequest) (*actionpb.WebhookResponse, error)
	requests []*actionpb.WebhookRequest
	metadata metadata.MD
}

func (s *server) Webhook(ctx context.Context, r *actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
	s.requests = append(s.requests, r)
	s.metadata, _ = metadata.FromIncomingContext(ctx)
	return s.answer(r)
}

func listen(t *testing.T, s *server, options ...grpc.ServerOption) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := grpc.NewServer(options...)
	actionpb.RegisterActionServiceServer(g, s)
	go func() { _ = g.Serve(l) }()
	t.Cleanup(g.Stop)
	return l.Addr().String()
}

const domainJSON = `{"config":{"store_entities_as_slots":true},"intents":["greet",{"go":{"use_entities":[]}}],"entities":["city"],
	"slots":{"a":{"type":"float"}},"responses":{"utter_a":[{"text":"a"}]},"actions":["action_x",{"action_y":{"send_domain":true}}],"forms":{"f":{"required_slots":["a"]}},"e2e_actions":["Hello"]}`

func run(t *testing.T, s actionrpc.Settings) (action.Reply, error) {
	t.Helper()
	c, err := actionrpc.New(s, []byte(domainJSON))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	d := &domain.Domain{Actions: []domain.Action{{Name: "action_x"}}}
	d.Complete()
	tr := tracker.New("ada", d)
	tr.Update(&tracker.SlotSet{Name: "a", Value: int64(4)})
	tr.Update(&tracker.ActiveLoop{Name: "f"})
	return c.Run(t.Context(), "action_x", tr)
}

func object(t *testing.T, m map[string]any) *structpb.Struct {
	t.Helper()
	s, err := structpb.NewStruct(m)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDomainIsSentWhenItsDigestIsUnknown(t *testing.T) {
	s := &server{}
	s.answer = func(r *actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
		if r.GetDomain() == nil {
			return nil, status.Error(codes.NotFound, `{"action_name":"action_x","message":"Missing domain context","resource_type":"DOMAIN"}`)
		}
		return &actionpb.WebhookResponse{
			Events:    []*structpb.Struct{object(t, map[string]any{"event": "slot", "timestamp": nil, "name": "a", "value": []any{5, 1.5}})},
			Responses: []*structpb.Struct{object(t, map[string]any{"text": "done", "buttons": []any{}, "custom": map[string]any{}})},
		}, nil
	}
	reply, err := run(t, actionrpc.Settings{URL: "grpc://" + listen(t, s), Headers: map[string]string{"X-Extra": "e"}, Username: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.requests) != 2 || s.requests[0].GetDomainDigest() == "" || s.requests[0].GetDomainDigest() != s.requests[1].GetDomainDigest() {
		t.Fatalf("requests: %v", s.requests)
	}
	r := s.requests[1]
	if r.GetNextAction() != "action_x" || r.GetSenderId() != "ada" || len(r.GetTracker().GetEvents()) != 2 || r.GetTracker().GetActiveLoop()["name"] != "f" {
		t.Errorf("request: %v", r)
	}
	d := r.GetDomain()
	if d.GetIntents()[0].GetStringValue() != "greet" || d.GetIntents()[1].GetDictValue().GetFields()["go"] == nil || len(d.GetActions()) != 2 || d.GetForms().GetFields()["f"] == nil {
		t.Errorf("domain: %v", d)
	}
	slot, ok := reply.Events[0].(*tracker.SlotSet)
	if !ok || slot.Value.([]any)[0] != int64(5) || slot.Value.([]any)[1] != 1.5 || reply.Responses[0]["text"] != "done" {
		t.Errorf("reply: %v", reply)
	}
	if s.metadata.Get("x-extra")[0] != "e" || s.metadata.Get("authorization")[0] != "Basic dTpw" {
		t.Errorf("metadata: %v", s.metadata)
	}
}

func TestErrorsSayWhatHappened(t *testing.T) {
	for name, c := range map[string]struct {
		err      error
		want     string
		rejected bool
	}{
		"rejection":      {status.Error(codes.Internal, `{"action_name":"action_x","message":"not today"}`), "not today", true},
		"unknown action": {status.Error(codes.NotFound, `{"action_name":"action_x","message":"No registered action","resource_type":"ACTION"}`), "NotFound: No registered action", false},
		"exception":      {status.Error(codes.Unknown, "Unexpected <class 'ValueError'>: broken"), "Unknown: Unexpected <class 'ValueError'>: broken", false},
		"internal":       {status.Error(codes.Internal, "broken"), "Internal: broken", false},
		"domain, always": {status.Error(codes.NotFound, `{"resource_type":"DOMAIN"}`), "NotFound", false},
		"long":           {status.Error(codes.Unknown, strings.Repeat("x", 5000)), "…", false},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answer: func(*actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) { return nil, c.err }}
			_, err := run(t, actionrpc.Settings{URL: "grpc://" + listen(t, s)})
			if _, rejected := errors.AsType[*action.RejectedError](err); err == nil || !strings.Contains(err.Error(), c.want) || rejected != c.rejected || len(err.Error()) > 600 {
				t.Errorf("got %v", err)
			}
			if len(s.requests) > 2 {
				t.Errorf("%d requests", len(s.requests))
			}
		})
	}
}

func TestHostileAnswersAreRefused(t *testing.T) {
	var deep any = "x"
	for range 300 {
		deep = []any{deep}
	}
	for name, c := range map[string]struct {
		event, response map[string]any
		want            string
	}{
		"unknown event": {event: map[string]any{"event": "teleport"}, want: `event "teleport"`},
		"number text":   {response: map[string]any{"text": 5}, want: "text is not a string"},
		"deep":          {response: map[string]any{"custom": deep}, want: "nested more than 200"},
		"large":         {response: map[string]any{"text": strings.Repeat("x", 17<<20)}, want: "larger than max"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &server{answer: func(*actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
				r := &actionpb.WebhookResponse{}
				if c.event != nil {
					r.Events = append(r.Events, object(t, c.event))
				}
				if c.response != nil {
					r.Responses = append(r.Responses, object(t, c.response))
				}
				return r, nil
			}}
			if _, err := run(t, actionrpc.Settings{URL: "grpc://" + listen(t, s)}); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestAServerThatIsDown(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	if _, err := run(t, actionrpc.Settings{URL: "grpc://" + address}); err == nil || !strings.Contains(err.Error(), "no answer from grpc://"+address) {
		t.Errorf("got %v", err)
	}
}

func TestCAFileTurnsTLSOn(t *testing.T) {
	web := httptest.NewTLSServer(http.NotFoundHandler()) // for its certificate
	defer web.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &server{answer: func(*actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
		return &actionpb.WebhookResponse{}, nil
	}}
	address := listen(t, s, grpc.Creds(credentials.NewServerTLSFromCert(&web.TLS.Certificates[0])))
	if _, err := run(t, actionrpc.Settings{URL: "grpc://" + address, CAFile: file}); err != nil {
		t.Error(err)
	}
	if _, err := run(t, actionrpc.Settings{URL: "grpc://" + address}); err == nil {
		t.Error("a server with TLS was called without it")
	}
}

func TestWrongSettingsAreNamed(t *testing.T) {
	for _, s := range []actionrpc.Settings{{URL: "http://x"}, {URL: "grpc://"}, {URL: "grpc://x:1", CAFile: "nowhere.pem"}} {
		if _, err := actionrpc.New(s, []byte(`{}`)); err == nil || !strings.Contains(err.Error(), "action_endpoint") {
			t.Errorf("%v: %v", s, err)
		}
	}
}
