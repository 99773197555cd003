package tracing_test

import (
	"context"
	"net"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/loquat-dev/loquat/internal/action/actionrpc"
	"github.com/loquat-dev/loquat/internal/actionpb"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// rpcServer is an action server over gRPC that asks for the domain and notes
// metadata.
type rpcServer struct {
	actionpb.UnimplementedActionServiceServer
	metadata []metadata.MD
}

// Webhook refuses calls without a domain.
func (s *rpcServer) Webhook(ctx context.Context, r *actionpb.WebhookRequest) (*actionpb.WebhookResponse, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	s.metadata = append(s.metadata, md)
	if r.GetDomain() == nil {
		return nil, status.Error(codes.NotFound, `{"resource_type":"DOMAIN"}`)
	}
	return &actionpb.WebhookResponse{}, nil
}

func TestTraceGoesOnOverGRPC(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, g := &rpcServer{}, grpc.NewServer()
	actionpb.RegisterActionServiceServer(g, s)
	go func() { _ = g.Serve(l) }()
	defer g.Stop()

	tr := watch(t, tracing.Config{})
	client, err := actionrpc.New(actionrpc.Settings{URL: "grpc://" + l.Addr().String(), Intercept: tr.ActionServerRPC()}, []byte(`{"config":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	d := &domain.Domain{}
	d.Complete()
	if _, err := client.Run(t.Context(), "action_weather", tracker.New("alice", d)); err != nil {
		t.Fatal(err)
	}
	if len(s.metadata) != 2 || !strings.HasPrefix(s.metadata[1].Get("traceparent")[0], "00-") || !strings.Contains(s.metadata[1].Get("baggage")[0], "action_name=action_weather") {
		t.Errorf("metadata: %v", s.metadata)
	}
	golden(t, "action_server_grpc.tree", tr.tree())
}
