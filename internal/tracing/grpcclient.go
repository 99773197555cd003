package tracing

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/loquat-dev/loquat/internal/action/webhook"
)

// ActionServerRPC watches calls of an action server over gRPC: each becomes the
// spans GRPCCustomActionExecutor.run and ._request, and carries the trace context
// and, as baggage, which action runs for whom, as metadata. It is nil without
// tracing.
func (t *Tracing) ActionServerRPC() grpc.UnaryClientInterceptor {
	if t == nil {
		return nil
	}
	return func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
		address := strings.TrimPrefix(conn.Target(), "dns:///")
		url := "grpc://" + address
		ctx, run := t.start(ctx, spanGRPCExecutor, trace.SpanKindInternal)
		if run.IsRecording() {
			p := webhook.PurposeOf(ctx)
			run.SetAttributes(
				attrClass.String(strings.TrimSuffix(spanGRPCExecutor, ".run")), attrURL.String(url), attrActionsModule.String(none),
				attrActionName.String(p.Action), attrSenderID.String(p.ConversationID),
			)
		}
		ctx, call := t.start(ctx, spanGRPCRequest, trace.SpanKindClient)
		if call.IsRecording() {
			size := 0
			if m, ok := request.(proto.Message); ok {
				size = proto.Size(m)
			}
			host, port := splitHost(address)
			call.SetAttributes(
				attrURL.String(url), attrRequestSize.Int(size), attrRPCMethod.String(strings.TrimPrefix(method, "/")),
				attrServerAddress.String(host), attrServerPort.Int(port),
			)
		}
		md, _ := metadata.FromOutgoingContext(ctx)
		if md = md.Copy(); md == nil {
			md = metadata.MD{}
		}
		t.propagate(ctx, metadataCarrier(md), true)
		err := invoke(metadata.NewOutgoingContext(ctx, md), method, request, reply, conn, options...)
		if call.IsRecording() {
			code := status.Code(err).String()
			call.SetAttributes(attrRPCStatus.String(code))
			if err != nil {
				call.SetAttributes(attrErrorType.String(code))
				call.SetStatus(codes.Error, code)
				run.SetAttributes(attrErrorType.String(code))
				run.SetStatus(codes.Error, code)
			}
		}
		call.End()
		run.End()
		return err
	}
}

// metadataCarrier puts a trace context into metadata.
type metadataCarrier metadata.MD

// Get returns the first value.
func (c metadataCarrier) Get(key string) string {
	if v := metadata.MD(c).Get(key); len(v) > 0 {
		return v[0]
	}
	return ""
}

// Set replaces a value.
func (c metadataCarrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

// Keys lists the keys.
func (c metadataCarrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for k := range c {
		keys = append(keys, k)
	}
	return keys
}
