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

// ensembleSuffix ends the class names of policy ensembles.
const ensembleSuffix = "PolicyPredictionEnsemble"

// Before starts the span of a node, and for a policy that predicts the span of
// its prediction inside it.
func (h nodeHook) Before(ctx context.Context, node graph.NodeRun) (context.Context, func(graph.NodeResult)) {
	ctx, span := h.start(ctx, spanGraphNode+node.Component, trace.SpanKindInternal)
	if !span.IsRecording() {
		return ctx, func(graph.NodeResult) { span.End() }
	}
	span.SetAttributes(
		attrNodeName.String(node.NodeName),
		attrComponentClass.String(node.Component),
		attrFnName.String(node.Fn),
	)
	var prediction *record.Span
	if !node.Training && node.Fn == "predict_action_probabilities" {
		ctx, prediction = h.start(ctx, node.Component+spanPrediction, trace.SpanKindInternal)
	}
	return ctx, func(result graph.NodeResult) {
		made, _ := result.Output.(*dialogue.Prediction)
		if prediction != nil {
			if made != nil {
				prediction.SetAttributes(predictionAttributes(made)...)
			}
			h.fail(prediction, result.Err)
			prediction.End()
		}
		if made != nil && strings.HasSuffix(node.Component, ensembleSuffix) {
			span.SetAttributes(ensembleAttributes(made)...)
		}
		if node.Training {
			span.SetAttributes(attrCacheHit.Bool(result.CacheHit))
		}
		h.fail(span, result.Err)
		span.End()
	}
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
