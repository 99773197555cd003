// Package assistant is a model that answers: it understands messages and chooses
// actions by running the model's prediction graph.
package assistant

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/provider"
	"github.com/loquat-dev/loquat/internal/recipe"
)

// Assistant is a loaded model. It is safe for concurrent use.
type Assistant struct {
	metadata model.Metadata
	file     string
	domain   *domain.Domain
	plan     *graph.Plan
	logger   *slog.Logger
}

// domainNode is the node that keeps the domain.
const domainNode = "domain_provider"

// Load makes an assistant of a model. hook may be nil.
func Load(m *model.Model, types graph.Types, hook graph.Hook, logger *slog.Logger) (*Assistant, error) {
	plan, err := graph.Compile(&m.PredictSchema, types, m.Resources, hook, logger)
	if err != nil {
		return nil, fmt.Errorf("load model: %w", err)
	}
	a := &Assistant{metadata: m.Metadata, file: m.Path, plan: plan, logger: logger, domain: provider.DomainOf(plan.Component(domainNode))}
	if a.domain == nil {
		a.domain = &domain.Domain{}
		a.domain.Complete()
	}
	return a, nil
}

// Domain returns the domain that the model was trained with; an empty one for a
// model of NLU alone.
func (a *Assistant) Domain() *domain.Domain { return a.domain }

// ModelID returns the model's id.
func (a *Assistant) ModelID() string { return a.metadata.ModelID }

// ModelFile returns the base name of the model's file.
func (a *Assistant) ModelFile() string { return filepath.Base(a.file) }

// AssistantID returns the assistant_id of the configuration.
func (a *Assistant) AssistantID() string { return a.metadata.AssistantID }

// ProjectFingerprint identifies the project that the model was trained in; nil if
// that had no git remote.
func (a *Assistant) ProjectFingerprint() *string { return a.metadata.ProjectFingerprint }

// Unwatched is the assistant without the hook that watches its nodes.
func (a *Assistant) Unwatched() *Assistant {
	c := *a
	c.plan = a.plan.Unwatched()
	return &c
}

// Predicts reports whether the model chooses actions, or only understands.
func (a *Assistant) Predicts() bool { return a.metadata.CoreTarget != nil }

// Understands reports whether the model was trained to understand messages; one
// that was not knows those of the form /intent alone.
func (a *Assistant) Understands() bool { return a.metadata.TrainingType != int(recipe.Core) }

// Parse adds to the message what NLU makes of its text, of which it looks at the
// first nlu.LongestText code points.
func (a *Assistant) Parse(ctx context.Context, m *nlu.Message) error {
	whole := nlu.MessageText(m.Values[nlu.Text])
	if cut := nlu.Beginning(whole); len(cut) < len(whole) {
		a.logger.WarnContext(ctx, "only the beginning of a long text is understood", "characters", nlu.LongestText, "bytes", len(whole))
		m.Values[nlu.Text] = cut
		defer func() { m.Values[nlu.Text] = whole }()
	}
	_, err := a.plan.Run(ctx, a.metadata.NLUTarget, graph.Inputs{graph.InputMessage: []*nlu.Message{m}})
	return err
}

// Predict chooses the next action of a conversation.
func (a *Assistant) Predict(ctx context.Context, s dialogue.Situation) (*dialogue.Prediction, error) {
	if !a.Predicts() {
		return nil, errors.New("the model understands messages and chooses no actions")
	}
	value, err := a.plan.Run(ctx, *a.metadata.CoreTarget, graph.Inputs{graph.InputTracker: s.Tracker, graph.InputMessage: []*nlu.Message(nil)})
	if err != nil {
		return nil, err
	}
	return value.(*dialogue.Prediction), nil
}
