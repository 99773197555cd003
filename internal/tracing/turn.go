package tracing

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/tracing/record"
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
	return &turnHook{t, c, c.LockStore + spanLock, c.TrackerStore + spanStreamEvents}
}

type turnHook struct {
	*Tracing
	classes       Classes
	lock, publish string // names of spans
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
	if span.IsRecording() {
		h.noteStart(span, step)
	}
	return ctx, func(err error) {
		if span.IsRecording() {
			h.noteEnd(span, step, err)
			h.fail(span, err)
		}
		span.End()
	}
}

func (h *turnHook) name(step *conversation.Step) string {
	switch step.Name {
	case conversation.StepLock:
		return h.lock
	case conversation.StepPublish:
		return h.publish
	default:
		return string(step.Name)
	}
}

// noteStart sets the attributes that are known as a step starts.
func (h *turnHook) noteStart(span *record.Span, step *conversation.Step) {
	switch step.Name {
	case conversation.StepAgent:
		span.SetAttributes(
			attrInputChannel.String(orNone(step.InputChannel)),
			attrSenderID.String(step.ConversationID),
			attrModelID.String(orNone(step.ModelID)),
			attrModelName.String(orNone(step.ModelName)),
			attrConversation.String(step.ConversationID),
		)
	case conversation.StepLock:
		span.SetAttributes(attrLockStoreClass.String(h.classes.LockStore))
	case conversation.StepLog, conversation.StepParse:
		span.SetAttributes(attrSenderID.String(step.ConversationID), attrMessageID.String(step.MessageID))
	case conversation.StepAction:
		span.SetAttributes(
			attrActionName.String(step.Action),
			attrSenderID.String(step.ConversationID),
			attrMessageID.String(messageID(step)),
		)
		if step.Executor != "" {
			span.SetAttributes(attrExecutorClass.String(step.Executor))
		}
	case conversation.StepPublish:
		if h.classes.Broker != "" {
			span.SetAttributes(attrBrokerClass.String(h.classes.Broker))
		}
	}
}

// noteEnd sets the attributes that only a step's end can tell.
func (h *turnHook) noteEnd(span *record.Span, step *conversation.Step, err error) {
	switch step.Name {
	case conversation.StepAgent:
		if step.Outcome != "" {
			span.SetAttributes(attrTurnOutcome.String(step.Outcome))
		}
	case conversation.StepLock:
		waited := time.Since(span.Start).Microseconds()
		span.SetAttributes(attrLockWait.Float64(float64(waited) / 1000))
	case conversation.StepGetTracker, conversation.StepSaveTracker:
		if err == nil {
			span.SetAttributes(attrEvents.Int(step.NumberOfEvents))
		}
	case conversation.StepPublish:
		span.SetAttributes(attrStreamedEvents.Int(step.NumberOfEvents))
	case conversation.StepPredict:
		span.SetAttributes(attrIntentName.String(orNone(step.IntentName)))
		if step.RequestedSlot != nil {
			span.SetAttributes(attrRequestedSlot.String(fmt.Sprint(step.RequestedSlot)))
		}
	}
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
