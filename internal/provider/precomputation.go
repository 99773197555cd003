package provider

import (
	"context"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Between two nodes the NLU pipeline works on the texts of end-to-end stories and
// conversations, for the policies that learn from texts.
const precomputation = "rasa.core.featurizers.precomputation."

// featurizationInput provides the texts: in training those of the stories, at run
// time the latest one of the user, or nothing.
func featurizationInput() graph.Type {
	return forTexts("CoreFeaturizationInputConverter", map[string]graph.Fn{
		"convert_for_training": {Needs: []string{"story_graph", "domain"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			texts := textsOf(in["story_graph"].(stories).graph)
			return graph.Fingerprinted{
				Value: nlu.NewTrainingData(nludata.New(), nlu.Labels{UserTexts: texts}),
				Print: graph.Fingerprint(texts),
			}, nil
		}},
		"convert_for_inference": {Needs: []string{"tracker"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			t, _ := in["tracker"].(*tracker.Tracker)
			if t == nil || t.LatestMessage() == nil || t.LatestMessage().Text == "" {
				return []*nlu.Message{}, nil
			}
			text := t.LatestMessage().Text
			if len(nlu.Beginning(text)) < len(text) {
				return []*nlu.Message{}, nil // no story has so long a text
			}
			m := &nlu.Message{}
			m.Values[nlu.Text] = text
			return []*nlu.Message{m}, nil
		}},
	})
}

// textsOf lists the texts that users say in stories, each once, in their order.
func textsOf(g *story.Graph) []string {
	var texts []string
	known := map[string]bool{}
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			if u, ok := e.Event.(*tracker.UserUttered); ok && u.HasText && u.Text != "" && !known[u.Text] {
				known[u.Text] = true
				texts = append(texts, u.Text)
			}
		}
	}
	return texts
}

// featurizationResult provides what became of the texts, as dialogue.Texts.
func featurizationResult() graph.Type {
	return forTexts("CoreFeaturizationCollector", map[string]graph.Fn{
		"collect": {Needs: []string{"messages"}, Call: func(_ context.Context, _ any, in graph.Inputs) (any, error) {
			var messages []*nlu.Message
			switch list := in["messages"].(type) {
			case *nlu.TrainingData:
				messages = list.Messages
			case []*nlu.Message:
				messages = list
			}
			texts := dialogue.Texts{}
			for _, m := range messages {
				texts[m.Values[nlu.Text]] = m
			}
			return texts, nil
		}},
	})
}

func forTexts(name string, fns map[string]graph.Fn) graph.Type {
	return graph.Define(graph.Type{Name: name, ClassPath: precomputation + name, Version: 1, Fns: fns}, struct{}{}, stateless)
}
