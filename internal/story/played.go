package story

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Played is a test story after it was played.
type Played struct {
	Name  string
	Steps []PlayedStep
}

// PlayedStep is a step of a test story, with a comment on what was predicted
// instead of it; "" if nothing was.
type PlayedStep struct {
	tracker.Event
	Comment string
	// Entities replaces those of a user's message that was understood differently.
	Entities []PlayedEntity
	// Replaced tells that Entities does, even if there are none.
	Replaced bool
}

// PlayedEntity is an entity of a message, with what was found instead of it.
type PlayedEntity struct {
	Name    string
	Value   any
	Comment string
}

// WritePlayed writes test stories with comments at the ends of lines, as Rasa 3.6
// writes failed_test_stories.yml. Messages are written by their intents.
func WritePlayed(stories []Played) []byte {
	var b strings.Builder
	b.WriteString("version: \"" + yamlfile.FormatVersion + "\"\nstories:\n")
	for _, s := range stories {
		b.WriteString("- story: " + yamlfile.Scalar(s.Name) + "\n  steps:\n")
		for _, step := range s.Steps {
			b.WriteString(step.yaml())
		}
	}
	return yamlfile.File(b.String())
}

const stepIndent = 2

// yaml is the lines of a step; none for an event that stories do not mention.
func (s PlayedStep) yaml() string {
	var step *yamlfile.Node
	var entities string
	switch e := s.Event.(type) {
	case *tracker.UserUttered:
		step, entities = s.user(e)
	case *tracker.ActionExecuted:
		switch {
		case e.Name == "" && e.ActionText != "":
			step = object("bot", yamlfile.NewString(e.ActionText))
		case e.Name != tracker.ListenAction && e.Name != "action_unlikely_intent" && e.Name != "" || s.Comment != "": // these go without saying
			step = object("action", yamlfile.NewString(e.Name))
		}
	default:
		step = testStep(e, nil)
	}
	if step == nil {
		return ""
	}
	list := &yamlfile.Node{Kind: yamlfile.List, Items: []*yamlfile.Node{step}}
	return commented(list.YAML(stepIndent), s.Comment) + entities
}

// user writes a message by its intent, or by its text if it has none, and its
// entities below.
func (s PlayedStep) user(e *tracker.UserUttered) (step *yamlfile.Node, entities string) {
	intent := e.Intent
	if full := fullIntent(e); full != "" {
		intent = full
	}
	if intent == "" {
		if e.Text == "" {
			return nil, ""
		}
		return object("user", yamlfile.NewString(Annotated(e.Text, e.Entities))), ""
	}
	list := s.Entities
	if !s.Replaced {
		for _, entity := range e.Entities {
			name, _ := entity["entity"].(string)
			list = append(list, PlayedEntity{Name: name, Value: entity["value"]})
		}
	}
	indent := strings.Repeat(" ", stepIndent+2)
	switch {
	case len(list) > 0:
		entities = indent + "entities:\n"
	case s.Replaced && len(e.Entities) > 0:
		entities = indent + "entities: []\n"
	}
	for _, x := range list {
		item := &yamlfile.Node{Kind: yamlfile.List, Items: []*yamlfile.Node{object(x.Name, yamlfile.Of(x.Value))}}
		entities += commented(item.YAML(stepIndent+2), x.Comment)
	}
	return object("intent", yamlfile.NewString(intent)), entities
}

// commented puts a comment at the end of the first line.
func commented(lines, comment string) string {
	if comment == "" {
		return lines
	}
	var b strings.Builder
	for _, r := range comment { // it must stay on its line
		if !yamlfile.Printable(string(r)) {
			r = ' '
		}
		b.WriteRune(r)
	}
	first, rest, _ := strings.Cut(lines, "\n")
	return first + "  # " + b.String() + "\n" + rest
}
