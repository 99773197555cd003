// Package jaeger sends finished spans to a Jaeger agent in Jaeger's own Thrift
// format: in UDP datagrams, as `tracing: {type: jaeger}` has always meant, or
// in HTTP requests.
//
// The types and the encodings are the official ones; ours is the mapping from
// OpenTelemetry and the splitting into datagrams. OpenTelemetry dropped its
// exporter for this format in 2023, but Jaeger still listens for it and existing
// endpoints files ask for it.
package jaeger

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strconv"
	"time"

	"github.com/apache/thrift/lib/go/thrift"
	"github.com/jaegertracing/jaeger-idl/thrift-gen/agent"
	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Format is an encoding of Thrift.
type Format string

// The encodings, and the ports on which Jaeger expects them.
const (
	Compact Format = "compact" // UDP 6831
	Binary  Format = "binary"  // UDP 6832, HTTP 14268
)

const (
	linuxDatagram = 65_000 // bytes; what a Jaeger agent reads at most
	smallDatagram = 9_000  // bytes; what other systems send without being told otherwise

	resolveEvery = 30 * time.Second // an agent may move to another address
	burst        = 2                // datagrams sent without a pause
	burstPause   = time.Millisecond // lets the agent empty its socket's buffer
)

// UDPSettings say where datagrams go.
type UDPSettings struct {
	Host   string
	Port   int
	Format Format
	Source record.Source
}

// UDPExporter is a record.Exporter.
type UDPExporter struct {
	address  string
	format   Format
	process  *thriftgen.Process
	scope    []*thriftgen.Tag
	limit    int
	memory   *thrift.TMemoryBuffer
	protocol thrift.TProtocol
	sequence int32

	conn     net.Conn
	resolved time.Time
}

// NewUDP returns an exporter. The host is resolved when the first spans come,
// and again every half a minute.
func NewUDP(s UDPSettings) *UDPExporter {
	e := &UDPExporter{
		address: net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		format:  s.Format,
		process: processOf(s.Source.Resource),
		scope:   scopeTags(s.Source),
		limit:   linuxDatagram,
		memory:  thrift.NewTMemoryBufferLen(linuxDatagram),
	}
	if runtime.GOOS != "linux" {
		e.limit = smallDatagram
	}
	e.protocol = newProtocol(e.memory, s.Format)
	return e
}

// Describe says where spans go.
func (e *UDPExporter) Describe() string {
	return fmt.Sprintf("jaeger thrift %s over UDP %s", e.format, e.address)
}

func newProtocol(t thrift.TTransport, f Format) thrift.TProtocol {
	if f == Binary {
		return thrift.NewTBinaryProtocolConf(t, nil)
	}
	return thrift.NewTCompactProtocolConf(t, nil)
}

// Export sends the spans in as many datagrams as they need. A span that is
// too large for any datagram is left out, and the error says so after the
// others were sent.
func (e *UDPExporter) Export(ctx context.Context, spans []*record.Span) error {
	if len(spans) == 0 {
		return nil
	}
	if err := e.connect(ctx); err != nil {
		return err
	}
	var failed lostError
	sent := 0
	for group := range groups(spans, e.scope, e.limit-processBound(e.process)) {
		datagram, err := e.encode(ctx, &thriftgen.Batch{Process: e.process, Spans: group})
		if err == nil && len(datagram) > e.limit {
			err = fmt.Errorf("span %q was left out: it needs %d bytes and a datagram holds %d",
				group[0].OperationName, len(datagram), e.limit)
		} else if err == nil {
			if sent++; sent%burst == 0 {
				time.Sleep(burstPause)
			}
			err = e.write(datagram)
		}
		if err != nil {
			failed.lost += len(group)
			failed.error = errors.Join(failed.error, err)
		}
	}
	if failed.lost > 0 {
		return failed
	}
	return nil
}

// lostError says how many of the spans were not sent.
type lostError struct {
	error
	lost int
}

func (e lostError) Unwrap() error { return e.error }

// LostSpans is the number of spans that were not sent; the others were.
func (e lostError) LostSpans() int { return e.lost }

// encode gives the one-way call emitBatch of the service Agent.
func (e *UDPExporter) encode(ctx context.Context, batch *thriftgen.Batch) ([]byte, error) {
	e.memory.Reset()
	e.sequence++
	arguments := agent.AgentEmitBatchArgs{Batch: batch}
	err := errors.Join(
		e.protocol.WriteMessageBegin(ctx, "emitBatch", thrift.ONEWAY, e.sequence),
		arguments.Write(ctx, e.protocol),
		e.protocol.WriteMessageEnd(ctx),
		e.protocol.Flush(ctx),
	)
	if err != nil {
		return nil, fmt.Errorf("encode spans for Jaeger: %w", err)
	}
	return e.memory.Bytes(), nil
}

// write sends one datagram. The error of a socket is that of an earlier
// datagram, so this one deserves a second try.
func (e *UDPExporter) write(datagram []byte) error {
	if _, err := e.conn.Write(datagram); err == nil {
		return nil
	}
	_, err := e.conn.Write(datagram)
	if err != nil {
		e.resolved = time.Time{} // look for the agent again
		return fmt.Errorf("send spans to the Jaeger agent: %w", err)
	}
	return nil
}

func (e *UDPExporter) connect(ctx context.Context) error {
	if e.conn != nil && time.Since(e.resolved) < resolveEvery {
		return nil
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "udp", e.address)
	if err != nil {
		return fmt.Errorf("find the Jaeger agent: %w", err)
	}
	if e.conn != nil {
		_ = e.conn.Close()
	}
	e.conn, e.resolved = conn, time.Now()
	return nil
}

// Shutdown closes the socket.
func (e *UDPExporter) Shutdown(context.Context) error {
	if e.conn == nil {
		return nil
	}
	return e.conn.Close()
}
