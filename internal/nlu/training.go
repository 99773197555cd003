package nlu

import "github.com/loquat-dev/loquat/internal/nludata"

// Labels are what stories add to the NLU data: actions, and users' turns without
// a text or without an intent. Featurizers learn their words, and no classifier
// learns from them.
type Labels struct {
	ActionNames []string
	ActionTexts []string // end-to-end bot texts
	Intents     []string // turns that name an intent
	UserTexts   []string // end-to-end user texts
}

// NewTrainingData makes a message of each example and of each label.
func NewTrainingData(source *nludata.TrainingData, labels Labels) *TrainingData {
	d := &TrainingData{Source: source, Messages: make([]*Message, 0, len(source.Examples)+len(labels.ActionNames))}
	for i := range source.Examples {
		d.Messages = append(d.Messages, exampleMessage(&source.Examples[i]))
	}
	add := func(a Attribute, values []string) {
		for _, v := range values {
			m := &Message{}
			m.Values[a] = v
			d.Messages = append(d.Messages, m)
		}
	}
	add(ActionName, labels.ActionNames)
	add(ActionText, labels.ActionTexts)
	add(IntentLabel, labels.Intents)
	add(Text, labels.UserTexts)
	return d
}

func exampleMessage(e *nludata.Example) *Message {
	m := &Message{Metadata: e.Metadata}
	m.Values[Text] = CleanText(e.Text)
	m.Values[IntentLabel] = e.Intent
	m.Values[ResponseText] = e.Response
	m.Values[IntentResponseKey] = e.IntentResponseKey
	if e.Intent != "" {
		m.Intent = &Intent{Name: e.Intent, Confidence: 1}
	}
	for _, a := range e.Entities {
		m.Entities = append(m.Entities, Entity{
			Entity: a.Entity, Start: a.Start, End: a.End, Role: a.Role, Group: a.Group, Value: a.Value,
		})
	}
	return m
}
