package interactive

import (
	"context"
	"fmt"
	"slices"

	"github.com/loquat-dev/loquat/internal/tracker"
)

// menu asks how to go on. It reports whether the session is over.
func (s *Session) menu(ctx context.Context) (stop bool, err error) {
	options := []string{"Continue", "Undo last", "Fork", "Start fresh", "Export & quit", "Quit without exporting"}
	choice, err := s.Ask.choose(ctx, "Do you want to stop?", options, []string{"continue", "undo", "fork", "fresh", "export", "quit"})
	if err != nil {
		return false, err
	}
	switch choice {
	case 1:
		return false, s.undo(ctx)
	case 2:
		return false, s.fork(ctx)
	case 3:
		return false, s.fresh(ctx)
	case 4:
		return s.export(ctx)
	case 5:
		return true, nil
	}
	return false, nil
}

// undo takes back the last action, or the last message if no action follows it.
func (s *Session) undo(ctx context.Context) error {
	events := s.tracker.Events()
	floor := sessionStart(events)
	for i := len(events) - 1; i >= floor; i-- {
		switch events[i].(type) {
		case *tracker.UserUttered, *tracker.ActionExecuted:
			return s.replace(ctx, events[:i])
		}
	}
	s.Ask.printf("There is nothing to undo.\n")
	return nil
}

// sessionStart is where the events of the latest session begin that a person has
// caused: behind its start and the listening that follows.
func sessionStart(events []tracker.Event) int {
	for i := len(events) - 1; i >= 0; i-- {
		if _, ok := events[i].(*tracker.SessionStarted); !ok {
			continue
		}
		for j := i + 1; j < len(events); j++ {
			if a, ok := events[j].(*tracker.ActionExecuted); ok && a.Name == tracker.ListenAction {
				return j + 1
			}
		}
	}
	return 0
}

// fork goes back to before a message. What followed is dropped, or stays a story of
// its own.
func (s *Session) fork(ctx context.Context) error {
	events := s.tracker.Events()
	var options []string
	var places []int
	for i := len(events) - 1; i >= sessionStart(events); i-- {
		if u, ok := events[i].(*tracker.UserUttered); ok {
			options, places = append(options, u.Text), append(places, i)
		}
	}
	if len(places) == 0 {
		s.Ask.printf("There is no message to fork before.\n")
		return nil
	}
	i, err := s.Ask.choose(ctx, "Before which message do you want to fork?", options, nil)
	if err != nil {
		return err
	}
	keep, err := s.Ask.yes(ctx, "Shall the conversation as it is stay a story, too?")
	if err != nil {
		return err
	}
	if keep {
		s.keepBranch()
	}
	return s.replace(ctx, events[:places[i]])
}

// fresh begins a new conversation. The one so far stays a story.
func (s *Session) fresh(ctx context.Context) error {
	s.keepBranch()
	return s.replace(ctx, nil)
}

func (s *Session) keepBranch() {
	s.branches = append(s.branches, conversations(s.tracker.Events())...)
}

func (s *Session) replace(ctx context.Context, events []tracker.Event) error {
	t, err := s.Assistant.ReplaceEvents(ctx, s.ConversationID, slices.Clone(events))
	if err != nil {
		return fmt.Errorf("go back: %w", err)
	}
	s.tracker = t
	return nil
}
