// Package converter is Rasa's NLUMessageConverter: the node that a user's message
// enters the pipeline through.
package converter

import (
	"context"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Type describes the component. Its function takes the messages of the
// placeholder __message__, []*nlu.Message, and gives them on.
func Type() graph.Type {
	t := graph.Type{
		Name:      "NLUMessageConverter",
		ClassPath: "rasa.graph_components.converters.nlu_message_converter.NLUMessageConverter",
		Version:   1,
		Fns: map[string]graph.Fn{
			"convert_user_message": {Needs: []string{"messages"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
				messages := in["messages"].([]*nlu.Message)
				for _, m := range messages {
					// Every offset that components find relates to this text.
					m.Features = make([]nlu.Features, 0, 8)
					m.Values[nlu.Text] = nlu.MessageText(m.Values[nlu.Text])
				}
				return messages, nil
			}},
		},
	}
	return graph.Define(t, struct{}{}, func(graph.Env, struct{}, graph.Resource) (any, error) { return struct{}{}, nil })
}
