// Package actiontrace makes OpenTelemetry spans of what an actionsdk.Server does,
// with the names and attributes of rasa-sdk, below the spans of the assistant:
//
//	s.Observer = actiontrace.New(provider)
//
// It depends on OpenTelemetry's API only; which SDK, exporter and sampler there
// are is up to the program. Spans hold names, never what users or actions say.
package actiontrace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/actionsdk"
)

// scopeName is the instrumentation scope of the spans.
const scopeName = "github.com/loquat-dev/loquat/actionsdk"

// New returns an observer whose spans go to the provider; nil stands for the
// global one. Traces are continued by W3C trace context and baggage.
func New(provider trace.TracerProvider) actionsdk.Observer {
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return &observer{
		tracer:     provider.Tracer(scopeName),
		propagator: propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{}),
	}
}

type observer struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// Begin starts the span of a step.
func (o *observer) Begin(ctx context.Context, step *actionsdk.Step) (context.Context, func(error)) {
	if step.Name == actionsdk.StepRequest {
		ctx = o.propagator.Extract(ctx, carrier(step.Header))
	}
	ctx, span := o.tracer.Start(ctx, spanName(step))
	return ctx, func(err error) {
		if span.IsRecording() {
			if _, rejected := errors.AsType[*actionsdk.RejectedError](err); rejected {
				span.AddEvent("action_execution_rejected") // a way of answering, and no failure
			} else if err != nil {
				span.AddEvent("exception", trace.WithAttributes(attribute.String("exception.type", typeName(err))))
				span.SetStatus(codes.Error, "failed")
			}
			span.SetAttributes(attributes(step)...)
		}
		span.End()
	}
}

func spanName(step *actionsdk.Step) string {
	validation := "ValidationAction."
	if step.Form {
		validation = "FormValidationAction."
	}
	switch step.Name {
	case actionsdk.StepRequest:
		switch {
		case step.Transport == "grpc" && step.Method == "webhook_stream":
			return "GRPCActionServerWebhook.WebhookStream"
		case step.Transport == "grpc":
			return "GRPCActionServerWebhook.Webhook"
		}
		return "create_app.webhook"
	case actionsdk.StepRun:
		return "ActionExecutor.run"
	case actionsdk.StepRespond:
		return "ActionExecutor._create_api_response"
	case actionsdk.StepValidate:
		return validation + step.Class + ".run"
	case actionsdk.StepExtract:
		return validation + step.Class + "._extract_validation_events"
	}
	return string(step.Name)
}

func attributes(step *actionsdk.Step) []attribute.KeyValue {
	sender, message := "None", "None"
	if t := step.Tracker; t != nil {
		sender = orNone(t.SenderID)
		message = orNone(t.LatestMessage.MessageID)
	}
	switch step.Name {
	case actionsdk.StepRequest:
		if !step.Handled {
			return nil // as in rasa-sdk, of a request that was refused nothing is told
		}
		list := []attribute.KeyValue{
			attribute.String("next_action", step.Action), attribute.String("version", orNone(step.Version)),
			attribute.String("sender_id", sender), attribute.String("message_id", message),
		}
		if step.Transport == "grpc" {
			return append(list, attribute.String("grpc.method", step.Method))
		}
		return append(list, attribute.String("http.method", "POST"), attribute.String("http.route", "/webhook"))
	case actionsdk.StepRun:
		return []attribute.KeyValue{attribute.String("action_name", step.Action), attribute.String("sender_id", sender)}
	case actionsdk.StepRespond:
		var responses []string
		for _, u := range step.Responses {
			if u.Response != "" {
				responses = append(responses, u.Response)
			}
		}
		types, slots := names(step.Events)
		return []attribute.KeyValue{
			attribute.String("events", types), attribute.String("slots", slots),
			attribute.String("utters", list(responses)), attribute.Int("message_count", len(step.Responses)),
		}
	case actionsdk.StepValidate:
		return []attribute.KeyValue{
			attribute.String("class_name", step.Class), attribute.String("sender_id", sender),
			attribute.String("slots_to_validate", list(step.Slots)), attribute.String("action_name", step.Action),
		}
	case actionsdk.StepExtract:
		types, slots := names(step.Events)
		return []attribute.KeyValue{attribute.String("validation_events", types), attribute.String("slots", slots)}
	}
	return nil
}

// names gives the types of events and the names of the slots that they set, each
// once, as lists in JSON.
func names(events []actionsdk.Event) (types, slots string) {
	var t, s []string
	for _, e := range events {
		t = append(t, e.Type())
		if slot, ok := e.(actionsdk.SlotSet); ok && slot.Name != "requested_slot" {
			s = append(s, slot.Name)
		}
	}
	return list(t), list(s)
}

func list(values []string) string {
	unique := []string{}
	for _, v := range values {
		if !slices.Contains(unique, v) {
			unique = append(unique, v)
		}
	}
	data, _ := json.Marshal(unique) // strings only
	return string(data)
}

func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}

// carrier reads a trace context from a request's headers.
type carrier func(name string) string

// Get returns a header.
func (c carrier) Get(key string) string { return c(key) }

// Set does nothing: requests are only read.
func (c carrier) Set(string, string) {}

// Keys is not known.
func (c carrier) Keys() []string { return nil }

// typeName is the type of an error, which says nothing of its content.
func typeName(err error) string { return fmt.Sprintf("%T", err) }
