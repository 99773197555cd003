package jaeger

import (
	"iter"

	thriftgen "github.com/jaegertracing/jaeger-idl/thrift-gen/jaeger"

	"github.com/loquat-dev/loquat/internal/tracing/record"
)

// Upper bounds, in bytes, of what the parts of a message take in either encoding
// beyond the text in them: headers, lengths, numbers, end marks. They let us
// split a batch without encoding it twice. Binary is the longer encoding.
const (
	messageBound   = 64
	spanBound      = 128
	tagBound       = 40
	logBound       = 24
	referenceBound = 48
)

// groups maps the spans and yields them in groups of which each fits into limit
// bytes, as far as a single span does.
func groups(spans []*record.Span, scope []*thriftgen.Tag, limit int) iter.Seq[[]*thriftgen.Span] {
	return func(yield func([]*thriftgen.Span) bool) {
		var group []*thriftgen.Span
		size := 0
		for _, s := range spans {
			span := spanOf(s, scope)
			bound := boundOf(span)
			if len(group) > 0 && size+bound > limit {
				if !yield(group) {
					return
				}
				group, size = nil, 0
			}
			group, size = append(group, span), size+bound
		}
		if len(group) > 0 {
			yield(group)
		}
	}
}

func boundOf(s *thriftgen.Span) int {
	n := spanBound + len(s.OperationName) + tagsBound(s.Tags) + referenceBound*len(s.References)
	for _, l := range s.Logs {
		n += logBound + tagsBound(l.Fields)
	}
	return n
}

func processBound(p *thriftgen.Process) int {
	return messageBound + len(p.ServiceName) + tagsBound(p.Tags)
}

func tagsBound(tags []*thriftgen.Tag) int {
	n := 0
	for _, t := range tags {
		n += tagBound + len(t.Key) + len(t.VBinary)
		if t.VStr != nil {
			n += len(*t.VStr)
		}
	}
	return n
}
