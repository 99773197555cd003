package story

import (
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// WriteTraining writes a conversation as one story to learn from, as an item of
// the list stories:, without indent. With the texts of users (Rasa's end-to-end
// format) the story says what was understood and what was said.
func WriteTraining(name string, events []tracker.Event, texts bool) string {
	steps := &yamlfile.Node{Kind: yamlfile.List}
	for i, e := range events {
		var step *yamlfile.Node
		if u, ok := e.(*tracker.UserUttered); ok {
			step = trainingStep(u, texts)
		} else {
			step = testStep(e, events[i+1:])
		}
		if step != nil {
			steps.Items = append(steps.Items, step)
		}
	}
	list := &yamlfile.Node{Kind: yamlfile.List, Items: []*yamlfile.Node{object("story", yamlfile.NewString(name), "steps", steps)}}
	return list.YAML(0)
}

// trainingStep is the step of a user's message: the intent without the response
// that was selected, and the entities.
func trainingStep(e *tracker.UserUttered, texts bool) *yamlfile.Node {
	step := &yamlfile.Node{Kind: yamlfile.Map}
	if e.Intent != "" {
		step.Pairs = object("intent", yamlfile.NewString(e.Intent)).Pairs
	}
	if e.Text != "" && (texts || e.Intent == "") {
		step.Pairs = append(step.Pairs, object("user", yamlfile.NewString(Annotated(e.Text, e.Entities))).Pairs...)
	}
	list := &yamlfile.Node{Kind: yamlfile.List}
	for _, entity := range e.Entities {
		name, _ := entity["entity"].(string)
		item := object(name, yamlfile.Of(entity["value"]))
		for _, key := range []string{"role", "group"} {
			if label, ok := entity[key].(string); ok && label != "" {
				item.Pairs = append(item.Pairs, object(key, yamlfile.NewString(label)).Pairs...)
			}
		}
		list.Items = append(list.Items, item)
	}
	if len(list.Items) > 0 {
		step.Pairs = append(step.Pairs, object("entities", list).Pairs...)
	}
	if len(step.Pairs) == 0 {
		return nil
	}
	return step
}
