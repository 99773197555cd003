// Package interactive teaches an assistant in a conversation: a person confirms or
// corrects what it understands and each action that it chooses, and the outcome
// is written to the project's stories, examples and domain (core.md §21, Rasa
// 3.6).
//
// The conversation goes through the same methods of package conversation that
// serve the HTTP API.
package interactive

import (
	"context"
	"errors"
	"fmt"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// assistant is the part of a conversation.Processor that is talked to.
type assistant interface {
	ModelDomain() *domain.Domain
	Parse(ctx context.Context, text, messageID string) (*nlu.Message, error)
	Tracker(ctx context.Context, conversationID string) (*tracker.Tracker, error)
	LogMessage(ctx context.Context, m channel.Message, parsed *tracker.UserUttered) (*tracker.Tracker, error)
	Forecast(ctx context.Context, conversationID string) (*conversation.Forecast, error)
	Execute(ctx context.Context, conversationID, action, policy string, confidence float64, out channel.Output) (*tracker.Tracker, error)
	AppendEvents(ctx context.Context, conversationID string, events []tracker.Event, effects channel.Output) (*tracker.Tracker, error)
	ReplaceEvents(ctx context.Context, conversationID string, events []tracker.Event) (*tracker.Tracker, error)
}

// Settings are the parts of a session.
type Settings struct {
	Assistant      assistant
	Ask            *Prompter
	Output         channel.Output // where the assistant speaks
	ConversationID string
	EndToEnd       bool // write what users say into stories
	Files          Files
	// Changed is told what would be written, after each step; may be nil.
	Changed func(Learned)
}

// Session is one conversation with its branches. It is not safe for concurrent
// use.
type Session struct {
	Settings
	tracker   *tracker.Tracker
	branches  [][]tracker.Event // that were left for another: each is a story
	responses map[string]string // of new actions, by name; "" for an action that has none
	actions   []string          // new ones, in order
}

// New returns a session.
func New(s Settings) *Session { return &Session{Settings: s, responses: map[string]string{}} }

// Run asks until the person wants to stop, or the input ends, which is
// ErrInputEnded.
func (s *Session) Run(ctx context.Context) error {
	s.Ask.printf("Talk to the assistant and correct it.\nCtrl-C, or %s, opens the menu: undo, fork, start fresh, export and quit.\n", MenuWord)
	for {
		stop, err := false, s.step(ctx)
		if errors.Is(err, errMenu) {
			stop, err = s.menu(ctx)
		}
		if errors.Is(err, errMenu) { // in the menu it means: back
			err = nil
		}
		if s.Changed != nil && s.tracker != nil {
			s.Changed(s.Learned())
		}
		if err != nil || stop {
			return err
		}
	}
}

// step asks for the next message, or for the next action.
func (s *Session) step(ctx context.Context) error {
	var err error
	if s.tracker, err = s.Assistant.Tracker(ctx, s.ConversationID); err != nil {
		return fmt.Errorf("read conversation: %w", err)
	}
	if listening(s.tracker) {
		return s.message(ctx)
	}
	return s.action(ctx)
}

// listening reports whether it is the user's turn.
func listening(t *tracker.Tracker) bool {
	for i := len(t.AppliedEvents()) - 1; i >= 0; i-- {
		switch e := t.AppliedEvents()[i].(type) {
		case *tracker.UserUttered:
			return false
		case *tracker.ActionExecuted:
			return e.Name == tracker.ListenAction
		}
	}
	return true
}
