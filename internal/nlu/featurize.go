package nlu

import (
	"context"

	"github.com/loquat-dev/loquat/internal/graph"
)

// Origin is the name that a featurizer's features go by: its alias, or else the
// name of its node.
func Origin(env graph.Env, alias *string) string {
	if alias != nil && *alias != "" {
		return *alias
	}
	return env.NodeName
}

// FeaturizeTrainingData returns a copy of data in which featurize has run on
// every message. The messages' tokens and features are still shared with data:
// featurize may add to them and must not change them.
func FeaturizeTrainingData(ctx context.Context, data *TrainingData, featurize func(*Message)) (*TrainingData, error) {
	out := &TrainingData{Source: data.Source, Messages: make([]*Message, len(data.Messages))}
	for i, m := range data.Messages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out.Messages[i] = m.Clone()
		featurize(out.Messages[i])
	}
	return out, nil
}
