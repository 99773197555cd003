package otlp

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// exportMethod is the one method of the trace service.
const exportMethod = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

type grpcSender struct {
	target   target
	settings Settings
	conn     *grpc.ClientConn
	metadata metadata.MD
	options  []grpc.CallOption
}

func newGRPCSender(t target, s Settings) (*grpcSender, error) {
	g := &grpcSender{target: t, settings: s, metadata: metadata.New(s.Headers)}
	g.options = []grpc.CallOption{grpc.ForceCodecV2(bytesCodec{})}
	if s.Gzip {
		g.options = append(g.options, grpc.UseCompressor(gzip.Name))
	}
	return g, g.renew()
}

// renew prepares a connection; grpc makes it with the next request. A connection
// that failed answers further requests with its old error until its own time for
// another attempt comes, but it is the caller who decides that.
func (g *grpcSender) renew() error {
	if g.conn != nil {
		_ = g.conn.Close()
	}
	security := insecure.NewCredentials()
	if g.settings.TLS != nil {
		security = credentials.NewTLS(g.settings.TLS)
	}
	conn, err := grpc.NewClient("dns:///"+g.target.address, grpc.WithTransportCredentials(security), grpc.WithDisableServiceConfig())
	if err != nil {
		return fmt.Errorf("otlp over gRPC to %s: %w", g.target.address, err)
	}
	g.conn = conn
	return nil
}

func (g *grpcSender) protocol() Protocol { return GRPC }
func (g *grpcSender) close() error       { return g.conn.Close() }

func (g *grpcSender) send(ctx context.Context, request []byte) error {
	var response []byte
	err := g.conn.Invoke(metadata.NewOutgoingContext(ctx, g.metadata), exportMethod, request, &response, g.options...)
	if err == nil {
		return partialSuccess(response)
	}
	return g.classify(ctx, err)
}

func (g *grpcSender) classify(ctx context.Context, err error) error {
	answer := status.Convert(err)
	switch answer.Code() {
	case codes.Unavailable:
		if g.conn.GetState() == connectivity.Ready {
			return unavailableError{after: retryDelay(answer), err: err}
		}
		if renewed := g.renew(); renewed != nil {
			return renewed
		}
		if reached := reach(ctx, g.target.address, g.settings.TLS); reached != nil {
			return reached
		}
		return wrongProtocolError{protocol: GRPC, err: err}
	case codes.Unimplemented, codes.Unknown:
		return wrongProtocolError{protocol: GRPC, answered: true, err: err}
	case codes.ResourceExhausted:
		if after := retryDelay(answer); after > 0 {
			return unavailableError{after: after, err: err}
		}
		return err
	case codes.Canceled, codes.DeadlineExceeded, codes.Aborted, codes.OutOfRange, codes.DataLoss:
		return unavailableError{after: retryDelay(answer), err: err}
	default:
		return err
	}
}

// retryDelay is how long the server asks to be left alone, or 0.
func retryDelay(s *status.Status) time.Duration {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.RetryInfo); ok {
			return info.GetRetryDelay().AsDuration()
		}
	}
	return 0
}

// bytesCodec hands requests and responses through: they are encoded already.
type bytesCodec struct{}

func (bytesCodec) Name() string { return "proto" }

func (bytesCodec) Marshal(v any) (mem.BufferSlice, error) {
	b, ok := v.([]byte)
	if !ok {
		return nil, fmt.Errorf("unexpected request %T", v)
	}
	// A copy: grpc may still read it when the call was given up, and the
	// exporter writes its next request into the same memory.
	return mem.BufferSlice{mem.Copy(b, mem.DefaultBufferPool())}, nil
}

func (bytesCodec) Unmarshal(data mem.BufferSlice, v any) error {
	out, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("unexpected response %T", v)
	}
	*out = data.Materialize()
	return nil
}
