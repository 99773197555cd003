// Package action holds what an assistant can do: the actions that every
// assistant has, responses, slot extraction, and calls to the action server.
package action

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Names of the actions that every assistant has.
const (
	Listen                = "action_listen"
	Restart               = "action_restart"
	SessionStart          = "action_session_start"
	DefaultFallback       = "action_default_fallback"
	DeactivateLoop        = "action_deactivate_loop"
	RevertFallbackEvents  = "action_revert_fallback_events"
	DefaultAskAffirmation = "action_default_ask_affirmation"
	DefaultAskRephrase    = "action_default_ask_rephrase"
	TwoStageFallback      = "action_two_stage_fallback"
	UnlikelyIntent        = "action_unlikely_intent"
	Back                  = "action_back"
	ExtractSlots          = "action_extract_slots"
	ValidateSlotMappings  = "action_validate_slot_mappings"
)

// Situation is what an action acts in. Actions do not change the tracker.
type Situation struct {
	Tracker *tracker.Tracker
	Channel string // name of the channel that answers go to
}

// With returns the situation after further events, which leave s as it is.
func (s Situation) With(events ...tracker.Event) Situation {
	if len(events) == 0 {
		return s
	}
	now := float64(time.Now().UnixMicro()) / 1e6
	s.Tracker = s.Tracker.Copy()
	for _, e := range events {
		if base := e.Meta(); base.Timestamp == 0 {
			base.Timestamp = now
		}
		s.Tracker.Update(e)
	}
	return s
}

// sinceRestart returns the situation without what happened before the last
// restart.
func (s Situation) sinceRestart() Situation {
	if events := s.Tracker.EventsAfterRestart(); len(events) < s.Tracker.Len() {
		s.Tracker = tracker.FromEvents(s.Tracker.ConversationID, s.Tracker.Domain(), events)
	}
	return s
}

// RejectedError says that an action refused to run in this situation, so that
// another one may be predicted.
type RejectedError struct {
	Action string
	Reason string
}

// Error names the action and its reason.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("action %q rejected its execution: %s", e.Action, e.Reason)
}

// UnknownError says that a name is no action of the domain.
type UnknownError struct{ Action string }

// Error names the action.
func (e *UnknownError) Error() string {
	return fmt.Sprintf("action %q is not in the domain", e.Action)
}

// Runner runs actions by name. It is safe for concurrent use.
type Runner struct {
	Domain *domain.Domain
	NLG    nlg.Generator
	Server Server // nil if no action server is configured
	Logger *slog.Logger
}

// IsRemote reports whether an action runs on the action server.
func (r *Runner) IsRemote(name string) bool {
	switch {
	case r.Domain.IsListedAction(name) && slices.Contains(domain.DefaultActions, name):
		return true
	case slices.Contains(domain.DefaultActions, name), strings.HasPrefix(name, "utter_"), slices.Contains(r.Domain.E2EActions, name):
		return false
	case r.Domain.Form(name) != nil && !r.Domain.IsListedAction(name):
		return false
	default:
		return true
	}
}

// Run executes an action and returns the events that it causes, utterances among
// them. The action's own event is not part of them.
func (r *Runner) Run(ctx context.Context, name string, s Situation) ([]tracker.Event, error) {
	if _, ok := r.Domain.ActionIndex(name); !ok {
		return nil, &UnknownError{name}
	}
	if r.IsRemote(name) {
		return r.remote(ctx, name, s)
	}
	if strings.HasPrefix(name, "utter_") {
		return r.respond(ctx, name, s)
	}
	switch name {
	case Listen, UnlikelyIntent, RevertFallbackEvents, "...":
		// Reverting is the two-stage fall-back's own business since Rasa 3: asked in 28
		// situations, the action of that name did nothing in any.
		return nil, nil
	case Restart:
		return r.respondThen(ctx, "utter_restart", s, &tracker.Restarted{})
	case SessionStart:
		return r.startSession(s), nil
	case DefaultFallback:
		return r.respondThen(ctx, "utter_default", s, &tracker.UserUtteranceReverted{})
	case DeactivateLoop:
		return []tracker.Event{&tracker.ActiveLoop{}, &tracker.SlotSet{Name: "requested_slot"}}, nil
	case Back:
		return r.respondThen(ctx, "utter_back", s, &tracker.UserUtteranceReverted{}, &tracker.UserUtteranceReverted{})
	case DefaultAskRephrase:
		return r.respondThen(ctx, "utter_ask_rephrase", s)
	case DefaultAskAffirmation:
		return r.askAffirmation(s), nil
	case TwoStageFallback:
		return r.twoStageFallback(ctx, s)
	case ExtractSlots:
		return r.ExtractSlots(ctx, s)
	}
	if f := r.Domain.Form(name); f != nil {
		return r.runForm(ctx, f, s)
	}
	return []tracker.Event{&tracker.BotUttered{Text: name, HasText: true, Data: map[string]any{}}}, nil // an end-to-end text
}

// respond makes the utterance of a response. A retrieval response is chosen by
// what the selector found in the message.
func (r *Runner) respond(ctx context.Context, name string, s Situation) ([]tracker.Event, error) {
	if intent := strings.TrimPrefix(name, "utter_"); r.isRetrieval(intent) {
		full := selectedResponse(s.Tracker.LatestMessage(), intent)
		if full == "" {
			return nil, nil
		}
		name = full
	}
	content, err := r.NLG.Generate(ctx, nlg.Request{Name: name, Tracker: s.Tracker, Channel: s.Channel})
	if err != nil {
		return nil, fmt.Errorf("generate response %q: %w", name, err)
	}
	if content == nil {
		return nil, nil
	}
	content["utter_action"] = name
	return []tracker.Event{nlg.BotEvent(content)}, nil
}

// respondThen makes the utterance of a response, if there is one, followed by
// events. A server that generates responses may have one that the domain lacks; it
// need not.
func (r *Runner) respondThen(ctx context.Context, response string, s Situation, then ...tracker.Event) ([]tracker.Event, error) {
	declared := len(r.Domain.Responses[response]) > 0
	if _, external := r.NLG.(nlg.External); !declared && !external {
		return then, nil
	}
	events, err := r.respond(ctx, response, s)
	switch {
	case err != nil && declared:
		return nil, err
	case err != nil:
		r.Logger.WarnContext(ctx, "nothing is said: the domain and the server that generates responses lack it", "response", response, "err", err)
	}
	return append(events, then...), nil
}

func (r *Runner) isRetrieval(intent string) bool {
	i := r.Domain.Intent(intent)
	return i != nil && i.Retrieval
}

// selectedResponse is the name of the response that a ResponseSelector chose for
// an intent, by its own entry or the default one.
func selectedResponse(m *tracker.UserUttered, intent string) string {
	if m == nil {
		return ""
	}
	selectors, _ := m.ParseData["response_selector"].(map[string]any)
	for _, key := range []string{intent, "default"} {
		selector, ok := selectors[key].(map[string]any)
		if !ok {
			continue
		}
		response, _ := selector["response"].(map[string]any)
		name, _ := response["utter_action"].(string)
		return name
	}
	return ""
}

// startSession starts a session; slots are carried over if the domain says so.
func (r *Runner) startSession(s Situation) []tracker.Event {
	events := []tracker.Event{&tracker.SessionStarted{}}
	if r.Domain.Session.CarryOverSlots {
		for _, e := range s.Tracker.AppliedEvents() {
			if slot, ok := e.(*tracker.SlotSet); ok {
				carried := *slot
				carried.Timestamp = 0
				events = append(events, &carried)
			}
		}
	}
	return append(events, &tracker.ActionExecuted{Name: Listen})
}
