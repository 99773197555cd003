package nlu

import (
	"context"
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// TrainingData is what flows from node to node in training: the project's data,
// and one message for each example and each label text, with what the pipeline
// has added so far. Nodes that add something return a new TrainingData with
// clones of the messages.
type TrainingData struct {
	Source   *nludata.TrainingData
	Messages []*Message
}

// NLUExamples returns the messages that have a text and an intent or response,
// which is what "NLU examples" means everywhere in Rasa.
func (d *TrainingData) NLUExamples() []*Message {
	var out []*Message
	for _, m := range d.Messages {
		if m.Values[Text] != "" && (m.Values[IntentLabel] != "" || m.Values[ResponseText] != "") {
			out = append(out, m)
		}
	}
	return out
}

// Trainer is a component that learns from training data. It must stop soon after
// ctx is cancelled.
type Trainer interface {
	Train(ctx context.Context, data *TrainingData) error
}

// TrainingProcessor is a tokenizer or featurizer: it adds tokens or features to
// training data and leaves its argument unchanged.
type TrainingProcessor interface {
	ProcessTrainingData(ctx context.Context, data *TrainingData) (*TrainingData, error)
}

// Processor is a component that handles messages at run time. It changes the
// messages in place. It is safe for concurrent use on different messages.
type Processor interface {
	Process(ctx context.Context, messages []*Message) error
}

// Fns returns the graph functions of NLU components, for Type.Fns: those of the
// interfaces above that the component at hand implements can be called.
func Fns() map[string]graph.Fn {
	return map[string]graph.Fn{
		"train": {Needs: []string{"training_data"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			t, ok := c.(Trainer)
			if !ok {
				return nil, fmt.Errorf("%T can't be trained", c)
			}
			return nil, t.Train(ctx, in["training_data"].(*TrainingData))
		}},
		"process_training_data": {Needs: []string{"training_data"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			p, ok := c.(TrainingProcessor)
			if !ok {
				return nil, fmt.Errorf("%T can't process training data", c)
			}
			return p.ProcessTrainingData(ctx, in["training_data"].(*TrainingData))
		}},
		"process": {Needs: []string{"messages"}, Call: func(ctx context.Context, c any, in graph.Inputs) (any, error) {
			p, ok := c.(Processor)
			if !ok {
				return nil, fmt.Errorf("%T can't process messages", c)
			}
			messages := in["messages"].([]*Message)
			return messages, p.Process(ctx, messages)
		}},
	}
}
