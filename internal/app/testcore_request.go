package app

import (
	"context"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/project"
)

// storyExaminer plays stories with the running model. Its work is not traced: a
// test makes thousands of predictions.
func storyExaminer(running func() *assistant.Assistant, o ServeOptions) func(ctx context.Context, body []byte, endToEnd bool) (*evaluate.StoryTests, error) {
	return func(ctx context.Context, body []byte, endToEnd bool) (*evaluate.StoryTests, error) {
		loaded := running()
		if loaded == nil {
			return nil, errNoModel
		}
		if !loaded.Predicts() {
			return nil, conversation.ErrNoPolicies
		}
		loaded = loaded.Unwatched()
		name := "body"
		if endToEnd {
			name = "test_body"
		}
		var problems diag.List
		g := project.ForeignStories(body, name, loaded.Domain(), &problems)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		options := TestCoreOptions{EndToEnd: endToEnd, Logger: o.Logger, Telemetry: o.Telemetry}
		return options.play(ctx, conversation.Settings{}, loaded, g, &problems)
	}
}
