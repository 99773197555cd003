package actiongrpc_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/actionsdk/actiongrpc"
	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/actionrpc"
	"github.com/loquat-dev/loquat/internal/actionpb"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func actions() *actionsdk.Server {
	s := &actionsdk.Server{Logger: slog.New(slog.DiscardHandler)}
	s.Action("action_tell", func(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Utter(actionsdk.Utterance{
			Text:    fmt.Sprintf("%s %v %s %v", t.SenderID, t.Slot("a"), t.ActiveLoop, t.Domain().RequiredSlots("f")),
			Buttons: []actionsdk.Button{{Title: "T", Payload: "/t"}},
		})
		return []actionsdk.Event{actionsdk.SlotSet{Name: "a", Value: map[string]any{"list": []int{1, 2}, "half": 0.5}}, actionsdk.FollowupAction{Name: "action_listen"}}, nil
	})
	s.Action("action_reject", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return nil, actionsdk.Reject("not today")
	})
	s.Action("action_fail", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		panic("broken on purpose")
	})
	s.Action("action_odd", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return []actionsdk.Event{actionsdk.SlotSet{Name: "a", Value: make(chan int)}}, nil
	})
	return s
}

// serve returns the address of a server with these actions, stopped by the test's
// end.
func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- actiongrpc.Serve(ctx, actions(), l) }()
	t.Cleanup(func() {
		stop()
		if err := <-stopped; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// The engine's own client talks to the server: the domain is asked for, sent, and
// known from then on.
func TestTheEngineCallsActions(t *testing.T) {
	client, err := actionrpc.New(actionrpc.Settings{URL: "grpc://" + serve(t)}, []byte(`{"forms":{"f":{"required_slots":["x"]}},"intents":["i",{"j":{"use_entities":[]}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	d := &domain.Domain{}
	d.Complete()
	tr := tracker.New("ada", d)
	tr.Update(&tracker.ActiveLoop{Name: "f"})
	for range 2 {
		reply, err := client.Run(t.Context(), "action_tell", tr)
		if err != nil {
			t.Fatal(err)
		}
		slot, _ := reply.Events[0].(*tracker.SlotSet)
		if got := fmt.Sprint(reply.Responses[0]["text"], slot.Value, reply.Events[1].Type()); got != "ada <nil> f [x]map[half:0.5 list:[1 2]]followup" {
			t.Errorf("got %s", got)
		}
	}
	for name, want := range map[string]string{
		"action_reject": "not today", "action_fail": "broken on purpose", "action_none": "No registered action", "action_odd": `event "slot"`,
	} {
		_, err := client.Run(t.Context(), name, tr)
		if _, rejected := errors.AsType[*action.RejectedError](err); err == nil || !strings.Contains(err.Error(), want) || rejected != (name == "action_reject") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Expectations are what rasa-sdk 3.21.1 answered.
func TestErrorsAreThoseOfRasaSDK(t *testing.T) {
	client := actionpb.NewActionServiceClient(dial(t, serve(t)))
	digest := "unknown"
	for name, c := range map[string]struct {
		request *actionpb.WebhookRequest
		code    codes.Code
		text    string
	}{
		"rejection": {&actionpb.WebhookRequest{NextAction: "action_reject"}, codes.Internal, `{"action_name":"action_reject","message":"not today"}`},
		"unknown action": {
			&actionpb.WebhookRequest{NextAction: "action_nope"}, codes.NotFound,
			`{"action_name":"action_nope","message":"No registered action found for name 'action_nope'.","resource_type":"ACTION"}`,
		},
		"domain": {&actionpb.WebhookRequest{NextAction: "action_tell", DomainDigest: &digest}, codes.NotFound, `"resource_type":"DOMAIN"`},
		"panic":  {&actionpb.WebhookRequest{NextAction: "action_fail"}, codes.Unknown, "broken on purpose"},
	} {
		_, err := client.Webhook(t.Context(), c.request)
		if s := status.Convert(err); s.Code() != c.code || !strings.Contains(s.Message(), c.text) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if response, err := client.Webhook(t.Context(), &actionpb.WebhookRequest{}); err != nil || len(response.GetEvents()) != 0 {
		t.Errorf("no action: %v, %v", response, err)
	}
}

func TestStreamsActionsAndHealth(t *testing.T) {
	conn := dial(t, serve(t))
	client := actionpb.NewActionServiceClient(conn)
	list, err := client.Actions(t.Context(), &actionpb.ActionsRequest{})
	if err != nil || len(list.GetActions()) != 4 || list.GetActions()[0].AsMap()["name"] != "action_tell" {
		t.Errorf("actions: %v, %v", list, err)
	}
	if h, err := grpc_health_v1.NewHealthClient(conn).Check(t.Context(), &grpc_health_v1.HealthCheckRequest{}); err != nil || h.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
		t.Errorf("health: %v, %v", h, err)
	}
	slots, _ := structpb.NewStruct(map[string]any{"a": 1})
	for name, want := range map[string]string{"action_tell": "final_result", "action_reject": "error"} {
		stream, err := client.WebhookStream(t.Context(), &actionpb.WebhookRequest{NextAction: name, Tracker: &actionpb.Tracker{Slots: slots}})
		if err != nil {
			t.Fatal(err)
		}
		event, err := stream.Recv()
		if err != nil || !strings.Contains(event.String(), want) {
			t.Errorf("%s: %v, %v", name, event, err)
		}
		if _, err := stream.Recv(); (name == "action_tell") != errors.Is(err, io.EOF) {
			t.Errorf("%s ends with %v", name, err)
		}
	}
	if _, err := client.AckStreamChunks(t.Context(), &actionpb.StreamChunkAck{}); err != nil {
		t.Error(err)
	}
}
