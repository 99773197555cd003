package interactive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// action asks whether the next action is right, and runs the one that is.
func (s *Session) action(ctx context.Context) error {
	f, err := s.Assistant.Forecast(ctx, s.ConversationID)
	if err != nil {
		return fmt.Errorf("predict next action: %w", err)
	}
	ranked := rank(f)
	if len(ranked) == 0 {
		return errors.New("the domain has no actions")
	}
	s.showHistory()
	right, err := s.Ask.yes(ctx, fmt.Sprintf("The bot wants to run %q: is this right?", ranked[0].name))
	if err != nil {
		return err
	}
	if right {
		return s.run(ctx, ranked[0].name, f.Policy, ranked[0].score)
	}
	name, score, err := s.chooseAction(ctx, ranked)
	if err != nil {
		return err
	}
	return s.run(ctx, name, "", score)
}

type scored struct {
	name  string
	score float64
}

// rank sorts the actions by their scores, equal ones by name.
func rank(f *conversation.Forecast) []scored {
	out := make([]scored, len(f.Actions))
	for i, name := range f.Actions {
		out[i] = scored{name, f.Probabilities[i]}
	}
	slices.SortFunc(out, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.name, b.name)) })
	return out
}

// chooseAction offers a new action, those that this session has made, and the
// ranked ones.
func (s *Session) chooseAction(ctx context.Context, ranked []scored) (string, float64, error) {
	options, names, scores := []string{"<a new action>"}, []string{""}, []float64{1}
	for _, name := range s.actions {
		options, names, scores = append(options, "      "+name), append(names, name), append(scores, 1)
	}
	for _, a := range ranked {
		options, names, scores = append(options, fmt.Sprintf("%.2f  %s", a.score, a.name)), append(names, a.name), append(scores, a.score)
	}
	i, err := s.Ask.choose(ctx, "What is the next action of the bot?", options, names)
	if err != nil || i > 0 {
		return names[i], scores[i], err
	}
	name, err := s.newAction(ctx)
	return name, 1, err
}

// newAction asks for an action that the domain does not have, and for its text if
// it is a response.
func (s *Session) newAction(ctx context.Context) (string, error) {
	name, err := s.Ask.required(ctx, "Name of the new action:", checkName)
	if err != nil {
		return "", err
	}
	if _, known := s.Assistant.ModelDomain().ActionIndex(name); known || slices.Contains(s.actions, name) {
		return name, nil
	}
	text := ""
	if strings.HasPrefix(name, "utter_") {
		if text, err = s.Ask.required(ctx, fmt.Sprintf("What does the bot say with %q?", name), func(string) error { return nil }); err != nil {
			return "", err
		}
	}
	s.actions = append(s.actions, name)
	s.responses[name] = text
	s.Ask.printf("%q goes to the domain when you export. Until then it is noted, and not run.\n", name)
	return name, nil
}

// run executes an action. One that is new is noted alone: the model does not know
// it.
func (s *Session) run(ctx context.Context, name, policy string, confidence float64) error {
	var err error
	if _, known := s.Assistant.ModelDomain().ActionIndex(name); !known {
		events := []tracker.Event{&tracker.ActionExecuted{Name: name, Confidence: confidence, HasConfidence: true}}
		if text := s.responses[name]; text != "" {
			events = append(events, &tracker.BotUttered{Text: text, HasText: true, Data: map[string]any{}})
		}
		s.tracker, err = s.Assistant.AppendEvents(ctx, s.ConversationID, events, s.Output)
		return err
	}
	if err := s.confirmForm(ctx, name); err != nil {
		return err
	}
	if s.tracker, err = s.Assistant.Execute(ctx, s.ConversationID, name, policy, confidence, s.Output); err != nil {
		return fmt.Errorf("run %s: %w", name, err)
	}
	if n := len(s.tracker.Events()); n > 0 {
		if r, rejected := s.tracker.Events()[n-1].(*tracker.ActionExecutionRejected); rejected {
			s.Ask.printf("%s could not use the message and was not run.\n", r.Name)
		}
	}
	return nil
}

// confirmForm asks, before a form that has just rejected a message runs again,
// whether it shall look at the message once more.
func (s *Session) confirmForm(ctx context.Context, name string) error {
	loop := s.tracker.ActiveLoop()
	if loop.Name != name || !loop.Rejected {
		return nil
	}
	slot, _ := s.tracker.Slot("requested_slot").(string)
	look, err := s.Ask.yes(ctx, fmt.Sprintf("Shall %q take the message as the value of the slot %q?", name, slot))
	if err != nil {
		return err
	}
	s.tracker, err = s.Assistant.AppendEvents(ctx, s.ConversationID, []tracker.Event{&tracker.LoopInterrupted{Interrupted: !look}}, nil)
	return err
}
