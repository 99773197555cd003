package tracing

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Nodes returns the hook that makes a span of every run of a graph node, in
// training and for messages, or nil when tracing is off.
func (t *Tracing) Nodes() graph.Hook {
	if t == nil {
		return nil
	}
	return nodeHook{t}
}

type nodeHook struct{ *Tracing }

const (
	ensembleSuffix = "PolicyPredictionEnsemble"     // ends the class names of policy ensembles
	predictFn      = "predict_action_probabilities" // what a policy is asked to do in a turn
)

// Before starts the span of a node, and for a policy that predicts the span of
// its prediction inside it.
func (h nodeHook) Before(ctx context.Context, node graph.NodeRun) (context.Context, func(graph.NodeResult)) {
	names := h.names(node.Component)
	ctx, span := h.start(ctx, names.node, trace.SpanKindInternal)
	if span.IsRecording() {
		span.SetAttributes(
			attrNodeName.String(node.NodeName),
			attrComponentClass.String(node.Component),
			attrFnName.String(node.Fn),
		)
	}
	if node.Training {
		return ctx, func(result graph.NodeResult) {
			if span.IsRecording() {
				span.SetAttributes(attrCacheHit.Bool(result.CacheHit))
			}
			h.end(span, false, result)
		}
	}
	if node.Fn != predictFn {
		ensemble := strings.HasSuffix(node.Component, ensembleSuffix)
		return ctx, func(result graph.NodeResult) { h.end(span, ensemble, result) }
	}
	ctx, prediction := h.start(ctx, names.prediction, trace.SpanKindInternal)
	return ctx, func(result graph.NodeResult) {
		if made, ok := result.Output.(*dialogue.Prediction); ok && prediction.IsRecording() {
			prediction.SetAttributes(predictionAttributes(made)...)
		}
		h.fail(prediction, result.Err)
		prediction.End()
		h.end(span, false, result)
	}
}

// end ends the span of a node.
func (h nodeHook) end(span *record.Span, ensemble bool, result graph.NodeResult) {
	if made, ok := result.Output.(*dialogue.Prediction); ok && ensemble && span.IsRecording() {
		span.SetAttributes(ensembleAttributes(made)...)
	}
	h.fail(span, result.Err)
	span.End()
}

// nodeNames are the names of a component's spans.
type nodeNames struct{ node, prediction string }

// names makes the names of a component's spans once: there are few components and
// many spans.
func (h nodeHook) names(component string) *nodeNames {
	if names, ok := h.nodeNames.Load(component); ok {
		return names.(*nodeNames)
	}
	names := &nodeNames{spanGraphNode + component, component + spanPrediction}
	h.nodeNames.Store(component, names)
	return names
}

// predictionAttributes describe what one policy answered.
func predictionAttributes(p *dialogue.Prediction) []attribute.KeyValue {
	return []attribute.KeyValue{
		attrPriority.Int(p.Priority),
		classList(attrEventList, p.Events),
		classList(attrOptionalEvents, p.OptionalEvents),
		attrEndToEnd.Bool(p.EndToEnd),
		attrNoUser.Bool(p.NoUser),
		attrDiagnosticData.String("{}"),
		attrActionMetadata.String(jsonText(p.Metadata)),
	}
}

// ensembleAttributes describe the prediction that won.
func ensembleAttributes(p *dialogue.Prediction) []attribute.KeyValue {
	out := []attribute.KeyValue{attrPolicy.String(p.Policy)}
	if names := classes(p.Events); len(names) > 0 {
		out = append(out, attrEventList.String("["+quoted(names)+"]"))
	}
	optional := slices.Compact(slices.Sorted(slices.Values(classes(p.OptionalEvents))))
	return append(out,
		attrOptionalEvents.String(pythonSet(optional)),
		attrFlows.String(pythonSet(nil)),
		attrUtters.String(pythonSet(nil)),
	)
}

func classList(key attribute.Key, events []tracker.Event) attribute.KeyValue {
	if len(events) == 0 {
		return key.String(none)
	}
	return key.StringSlice(classes(events))
}

// classes gives Rasa's class names of events. Our types carry them, but for one
// whose name was too long.
func classes(events []tracker.Event) []string {
	out := make([]string, len(events))
	for i, e := range events {
		if _, ok := e.(*tracker.UserFeaturization); ok {
			out[i] = "DefinePrevUserUtteredFeaturization"
			continue
		}
		name := fmt.Sprintf("%T", e)
		out[i] = name[strings.LastIndexByte(name, '.')+1:]
	}
	return out
}

// pythonSet writes a set of strings as Python's str() does.
func pythonSet(names []string) string {
	if len(names) == 0 {
		return "set()"
	}
	return "{" + quoted(names) + "}"
}

func quoted(names []string) string { return "'" + strings.Join(names, "', '") + "'" }

func jsonText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return "null"
	}
	return string(text)
}
