// Package actiongrpc serves the actions of an actionsdk.Server over gRPC. The
// assistant calls them with
//
//	action_endpoint:
//	  url: grpc://localhost:5055
//
// The protocol is that of rasa-sdk; numbers travel as floating point, so a slot of
// 4.0 arrives as 4.
package actiongrpc

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	_ "google.golang.org/grpc/encoding/gzip" // assistants compress what they send
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/internal/actionpb"
)

// ListenAndServe serves on an address such as ":5055" until ctx ends; then it
// takes no more calls, lets running actions finish within s.Grace, and returns
// nil. s.TLS makes it speak TLS, s.MaxBody bounds what a call may bring.
func ListenAndServe(ctx context.Context, s *actionsdk.Server, address string, options ...grpc.ServerOption) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return Serve(ctx, s, l, options...)
}

// Serve is ListenAndServe on a listener, which it closes.
func Serve(ctx context.Context, s *actionsdk.Server, l net.Listener, options ...grpc.ServerOption) error {
	limit := s.MaxBody
	if limit <= 0 {
		limit = 64 << 20
	}
	options = append([]grpc.ServerOption{grpc.MaxRecvMsgSize(int(limit)), grpc.ConnectionTimeout(10 * time.Second)}, options...)
	if s.TLS != nil {
		options = append(options, grpc.Creds(credentials.NewTLS(s.TLS)))
	}
	g := grpc.NewServer(options...)
	Register(g, s)
	failed := make(chan error, 1)
	go func() { failed <- g.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	grace := s.Grace
	if grace <= 0 {
		grace = 10 * time.Second
	}
	timer := time.AfterFunc(grace, g.Stop)
	defer timer.Stop()
	g.GracefulStop()
	return nil
}

// Register adds the actions, and gRPC's health service, to a server of your own.
func Register(r grpc.ServiceRegistrar, s *actionsdk.Server) {
	actionpb.RegisterActionServiceServer(r, &service{server: s})
	grpc_health_v1.RegisterHealthServer(r, health.NewServer())
}

// service implements the protocol.
type service struct {
	actionpb.UnimplementedActionServiceServer
	server *actionsdk.Server
}

// Actions lists the actions.
func (s *service) Actions(context.Context, *actionpb.ActionsRequest) (*actionpb.ActionsResponse, error) {
	response := &actionpb.ActionsResponse{}
	for _, name := range s.server.Actions() {
		response.Actions = append(response.Actions, &structpb.Struct{Fields: map[string]*structpb.Value{"name": structpb.NewStringValue(name)}})
	}
	return response, nil
}

// Webhook runs an action.
func (s *service) Webhook(ctx context.Context, r *actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
	response, err := s.run(ctx, r, "webhook")
	if err != nil {
		return nil, statusOf(r.GetNextAction(), err)
	}
	return response, nil
}

// WebhookStream runs an action and sends its answer whole, as the last piece.
func (s *service) WebhookStream(r *actionpb.WebhookRequest, out grpc.ServerStreamingServer[actionpb.WebhookStreamEvent]) error {
	response, err := s.run(out.Context(), r, "webhook_stream")
	if err == nil {
		return out.Send(&actionpb.WebhookStreamEvent{Event: &actionpb.WebhookStreamEvent_FinalResult{FinalResult: response}})
	}
	failure := &actionpb.StreamError{ActionName: r.GetNextAction(), Message: err.Error()}
	if sent := out.Send(&actionpb.WebhookStreamEvent{Event: &actionpb.WebhookStreamEvent_Error{Error: failure}}); sent != nil {
		return sent
	}
	return statusOf(r.GetNextAction(), err)
}

// AckStreamChunks has nothing to do: there are no pieces.
func (s *service) AckStreamChunks(context.Context, *actionpb.StreamChunkAck) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

func (s *service) run(ctx context.Context, r *actionpb.WebhookRequest, method string) (response *actionpb.WebhookResponse, err error) {
	md, _ := metadata.FromIncomingContext(ctx)
	step := &actionsdk.Step{Name: actionsdk.StepRequest, Transport: "grpc", Method: method, Header: func(name string) string {
		if v := md.Get(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}}
	var expected error // failures that the protocol knows are no errors of the request
	err = s.server.Observe(ctx, step, func(ctx context.Context) error {
		if r.GetNextAction() == "" {
			response = &actionpb.WebhookResponse{}
			return nil
		}
		call, err := callFrom(r)
		if err != nil {
			return err
		}
		step.Action, step.Tracker, step.Version = call.Action, call.Tracker, call.Version
		reply, err := s.server.Run(ctx, call)
		if isExpected(err) {
			expected = err
			return nil
		}
		if err != nil {
			return err
		}
		if response, err = responseFrom(reply); err != nil {
			return err
		}
		step.Handled = true
		return nil
	})
	if expected != nil {
		return nil, expected
	}
	return response, err
}

func isExpected(err error) bool {
	if _, ok := errors.AsType[*actionsdk.RejectedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*actionsdk.UnknownActionError](err); ok {
		return true
	}
	return errors.Is(err, actionsdk.ErrDomainMissing)
}

// statusOf is how the protocol says what went wrong: JSON in the message.
func statusOf(action string, err error) error {
	details := map[string]string{"action_name": action, "message": err.Error()}
	code := codes.NotFound
	if _, ok := errors.AsType[*actionsdk.RejectedError](err); ok {
		code = codes.Internal
	} else if _, ok := errors.AsType[*actionsdk.UnknownActionError](err); ok {
		details["resource_type"] = "ACTION"
	} else if errors.Is(err, actionsdk.ErrDomainMissing) {
		details["resource_type"] = "DOMAIN"
	} else {
		return status.Error(codes.Unknown, err.Error())
	}
	text, _ := json.Marshal(details) // strings only
	return status.Error(code, string(text))
}
