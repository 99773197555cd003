package tracing

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/conversation"
)

// Classes are the names that Rasa gives to the backends in use, such as
// SQLTrackerStore, InMemoryLockStore, FileEventBroker.
type Classes struct {
	TrackerStore string
	LockStore    string
	Broker       string // "" without an event broker
}

// Turns returns the hook that makes a span of every step of a turn, or nil when
// tracing is off.
func (t *Tracing) Turns(c Classes) conversation.Hook {
	if t == nil {
		return nil
	}
	return &turnHook{t, c}
}

type turnHook struct {
	*Tracing
	classes Classes
}

// Before starts the span of a step.
func (h *turnHook) Before(ctx context.Context, step *conversation.Step) (context.Context, func(error)) {
	kind := trace.SpanKindInternal
	if step.Name == conversation.StepAction {
		kind = trace.SpanKindClient // Rasa's choice for every action
	}
	if step.Name == conversation.StepHandle || step.Name == conversation.StepAction {
		ctx = context.WithValue(ctx, messageKey{}, step)
	}
	ctx, span := h.start(ctx, h.name(step), kind)
	if !span.IsRecording() {
		return ctx, func(error) { span.End() }
	}
	span.SetAttributes(h.known(step)...)
	started := time.Now()
	return ctx, func(err error) {
		if results := h.results(step, time.Since(started), err); len(results) > 0 {
			span.SetAttributes(results...)
		}
		h.fail(span, err)
		span.End()
	}
}

func (h *turnHook) name(step *conversation.Step) string {
	switch step.Name {
	case conversation.StepLock:
		return h.classes.LockStore + spanLock
	case conversation.StepPublish:
		return h.classes.TrackerStore + spanStreamEvents
	default:
		return string(step.Name)
	}
}

// known gives the attributes that are known as a step starts.
func (h *turnHook) known(step *conversation.Step) []attribute.KeyValue {
	switch step.Name {
	case conversation.StepAgent:
		return []attribute.KeyValue{
			attrInputChannel.String(orNone(step.InputChannel)),
			attrSenderID.String(step.ConversationID),
			attrModelID.String(orNone(step.ModelID)),
			attrModelName.String(orNone(step.ModelName)),
			attrConversation.String(step.ConversationID),
		}
	case conversation.StepLock:
		return []attribute.KeyValue{attrLockStoreClass.String(h.classes.LockStore)}
	case conversation.StepLog, conversation.StepParse:
		return []attribute.KeyValue{attrSenderID.String(step.ConversationID), attrMessageID.String(step.MessageID)}
	case conversation.StepAction:
		out := []attribute.KeyValue{
			attrActionName.String(step.Action),
			attrSenderID.String(step.ConversationID),
			attrMessageID.String(messageID(step)),
		}
		if step.Executor != "" {
			out = append(out, attrExecutorClass.String(step.Executor))
		}
		return out
	case conversation.StepPublish:
		if h.classes.Broker != "" {
			return []attribute.KeyValue{attrBrokerClass.String(h.classes.Broker)}
		}
	}
	return nil
}

// results gives the attributes that only a step's end can tell.
func (h *turnHook) results(step *conversation.Step, took time.Duration, err error) []attribute.KeyValue {
	switch step.Name {
	case conversation.StepAgent:
		if step.Outcome != "" {
			return []attribute.KeyValue{attrTurnOutcome.String(step.Outcome)}
		}
	case conversation.StepLock:
		return []attribute.KeyValue{attrLockWait.Float64(float64(took.Microseconds()) / 1000)}
	case conversation.StepGetTracker, conversation.StepSaveTracker:
		if err == nil {
			return []attribute.KeyValue{attrEvents.Int(step.NumberOfEvents)}
		}
	case conversation.StepPublish:
		return []attribute.KeyValue{attrStreamedEvents.Int(step.NumberOfEvents)}
	case conversation.StepPredict:
		out := []attribute.KeyValue{attrIntentName.String(orNone(step.IntentName))}
		if step.RequestedSlot != nil {
			out = append(out, attrRequestedSlot.String(fmt.Sprint(step.RequestedSlot)))
		}
		return out
	}
	return nil
}

// unknownMessage is Rasa's word for a message that is not known.
const unknownMessage = "default"

func messageID(step *conversation.Step) string {
	if step.MessageID == "" {
		return unknownMessage
	}
	return step.MessageID
}

// messageKey finds the message that a request to the action server is made for.
type messageKey struct{}

func messageOf(ctx context.Context) string {
	if step, ok := ctx.Value(messageKey{}).(*conversation.Step); ok {
		return messageID(step)
	}
	return unknownMessage
}
