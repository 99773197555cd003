package action

import (
	"cmp"
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// Intents that fall-backs work with.
const (
	intentFallback   = "nlu_fallback"
	intentOutOfScope = "out_of_scope"
)

// askAffirmation asks whether the most probable intent was meant; after a
// fall-back that is the second of the ranking.
func (r *Runner) askAffirmation(s Situation) []tracker.Event {
	intent := s.Tracker.LatestIntent()
	if intent == intentFallback {
		ranking, _ := s.Tracker.LatestMessage().ParseData["intent_ranking"].([]any)
		if len(ranking) > 1 {
			second, _ := ranking[1].(map[string]any)
			intent, _ = second["name"].(string)
		}
	}
	intent = cmp.Or(intent, "None") // there was no message, or none of its intents fits
	return []tracker.Event{&tracker.BotUttered{
		Text: fmt.Sprintf("Did you mean '%s'?", intent), HasText: true,
		Data: map[string]any{
			"buttons": []any{
				map[string]any{"title": "Yes", "payload": "/" + intent},
				map[string]any{"title": "No", "payload": "/" + intentOutOfScope},
			},
			"elements": nil, "quick_replies": nil, "attachment": nil, "image": nil, "custom": nil,
		},
		Base: tracker.Base{Metadata: map[string]any{"utter_action": DefaultAskAffirmation}},
	}}
}

// copyOf repeats a message, an empty one if there is none, with another confidence
// of its intent.
func copyOf(m *tracker.UserUttered, confidence float64) *tracker.UserUttered {
	if m == nil {
		m = &tracker.UserUttered{}
	}
	c := *m
	c.Timestamp = 0
	c.Confidence = confidence
	c.ParseData = make(tracker.ParseData, len(m.ParseData))
	for k, v := range m.ParseData {
		c.ParseData[k] = v
	}
	intent := map[string]any{}
	if was, ok := m.ParseData["intent"].(map[string]any); ok {
		for k, v := range was {
			intent[k] = v
		}
	}
	intent["confidence"] = confidence
	c.ParseData["intent"] = intent
	return &c
}

// twoStageFallback asks the user to affirm the intent, then to rephrase, and
// gives up after that (core.md §16, Rasa 3.6.21).
func (r *Runner) twoStageFallback(ctx context.Context, s Situation) ([]tracker.Event, error) {
	t := s.Tracker
	var events []tracker.Event
	activated := t.ActiveLoop().Name != TwoStageFallback
	if activated {
		events = append(events, &tracker.ActiveLoop{Name: TwoStageFallback})
	}
	switch {
	case fallbackIsOver(t): // before anything was asked, even
		done, err := r.endFallback(ctx, s)
		return append(events, done...), err
	case activated || t.LatestIntent() == intentFallback:
		asked, err := r.Run(ctx, DefaultAskAffirmation, s)
		return append(events, asked...), err
	default:
		asked, err := r.Run(ctx, DefaultAskRephrase, s)
		return append(events, asked...), err
	}
}

// fallbackIsOver reports whether the user has said something clear, or nothing
// clear for too long.
func fallbackIsOver(t *tracker.Tracker) bool {
	return succeeded(t) || gaveUp(t)
}

func succeeded(t *tracker.Tracker) bool {
	intent := t.LatestIntent()
	return intent != intentFallback && intent != intentOutOfScope
}

// gaveUp reports whether the last two messages were not understood, or the second
// affirmation was denied.
func gaveUp(t *tracker.Tracker) bool {
	intents := latestIntents(t, 3)
	return len(intents) >= 2 && intents[0] == intentFallback && intents[1] == intentFallback ||
		len(intents) == 3 && intents[0] == intentOutOfScope && intents[1] == intentFallback && intents[2] == intentOutOfScope
}

// latestIntents are the intents of the user's last n messages, newest first. What
// came before a message was taken back does not count: of 85 conversations, Rasa
// 3.6.21 ended all of them by this rule.
func latestIntents(t *tracker.Tracker, n int) []string {
	var intents []string
	for _, event := range t.Backward() {
		switch e := event.(type) {
		case *tracker.UserUttered:
			if intents = append(intents, e.Intent); len(intents) == n {
				return intents
			}
		case *tracker.UserUtteranceReverted, *tracker.Restarted:
			return intents
		}
	}
	return intents
}

func (r *Runner) endFallback(ctx context.Context, s Situation) ([]tracker.Event, error) {
	events := []tracker.Event{&tracker.ActiveLoop{}}
	if succeeded(s.Tracker) {
		return append(events,
			&tracker.UserUtteranceReverted{},
			&tracker.ActionExecuted{Name: Listen},
			copyOf(s.Tracker.LatestMessage(), 1),
		), nil
	}
	fallback, err := r.Run(ctx, DefaultFallback, s)
	return append(events, fallback...), err
}
