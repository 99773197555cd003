package interactive

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// message asks for a message of the user, and whether it is understood right.
func (s *Session) message(ctx context.Context) error {
	text, err := s.Ask.text(ctx, "Your input ->", "")
	if err != nil || text == "" {
		return err
	}
	parsed, err := s.parse(ctx, text)
	if err != nil {
		return err
	}
	// What says itself what it means needs no confirmation.
	if !strings.HasPrefix(text, "/") {
		if err := s.confirm(ctx, parsed); err != nil {
			return err
		}
	}
	m := channel.Message{
		Text: text, HasText: true, SenderID: s.ConversationID, Channel: s.Output.Name(), MessageID: channel.NewMessageID(), Output: s.Output,
	}
	parsed.InputChannel, parsed.MessageID = m.Channel, m.MessageID
	if s.tracker, err = s.Assistant.LogMessage(ctx, m, parsed); err != nil {
		return fmt.Errorf("record message: %w", err)
	}
	return nil
}

// parse is what the model understands.
func (s *Session) parse(ctx context.Context, text string) (*tracker.UserUttered, error) {
	m, err := s.Assistant.Parse(ctx, text, "")
	if err != nil {
		return nil, err
	}
	result := m.ParseResult()
	e := &tracker.UserUttered{Text: text, HasText: true, ParseData: result}
	if plain, ok := result["text"].(string); ok {
		e.Text = plain
	}
	if m.Intent != nil {
		e.Intent, e.Confidence = m.Intent.Name, m.Intent.Confidence
	}
	entities, _ := result["entities"].([]any)
	for _, x := range entities {
		if entity, ok := x.(map[string]any); ok {
			e.Entities = append(e.Entities, entity)
		}
	}
	return e, nil
}

// confirm asks whether a message is understood right, and what is right.
func (s *Session) confirm(ctx context.Context, e *tracker.UserUttered) error {
	annotated := story.Annotated(e.Text, e.Entities)
	question := fmt.Sprintf("The message %q has the intent %q and no entities: is this right?", e.Text, e.Intent)
	switch {
	case len(e.Entities) > 0:
		question = fmt.Sprintf("The message %q has the intent %q: are the intent and all entities right?", annotated, e.Intent)
	case e.Intent == "":
		question = fmt.Sprintf("The message %q has no intent that the model knows: is this right?", e.Text)
	}
	right, err := s.Ask.yes(ctx, question)
	if err != nil || right {
		return err
	}
	intent, err := s.chooseIntent(ctx, e)
	if err != nil {
		return err
	}
	entities, err := s.annotate(ctx, e.Text, annotated)
	if err != nil {
		return err
	}
	correct(e, intent, entities)
	return nil
}

// correct puts what a person says in the place of what the model understood.
func correct(e *tracker.UserUttered, intent string, entities []tracker.Entity) {
	base, _, _ := strings.Cut(intent, "/")
	e.Intent, e.Confidence, e.Entities = base, 1, entities
	found := map[string]any{"name": base, "confidence": 1.0}
	if base != intent {
		found["full_retrieval_intent_name"] = intent
	}
	list := make([]any, len(entities))
	for i, entity := range entities {
		list[i] = map[string]any(entity)
	}
	e.ParseData = tracker.ParseData{
		"text": e.Text, "intent": found, "entities": list, "intent_ranking": []any{map[string]any{"name": base, "confidence": 1.0}},
	}
}

// chooseIntent offers the intents of the ranking, those that it leaves out, and a
// new one.
func (s *Session) chooseIntent(ctx context.Context, e *tracker.UserUttered) (string, error) {
	options, names := []string{"<a new intent>"}, []string{""}
	ranking, _ := e.ParseData["intent_ranking"].([]any)
	for _, x := range ranking {
		entry, _ := x.(map[string]any)
		name, _ := entry["name"].(string)
		confidence, _ := entry["confidence"].(float64)
		if name != "" && !slices.Contains(names, name) {
			options, names = append(options, fmt.Sprintf("%.2f  %s", confidence, name)), append(names, name)
		}
	}
	var others []string
	for _, intent := range s.Assistant.ModelDomain().Intents {
		others = append(others, intent.Name)
	}
	for _, name := range append(others, s.Learned().Intents...) {
		if !slices.Contains(names, name) {
			options, names = append(options, "      "+name), append(names, name)
		}
	}
	i, err := s.Ask.choose(ctx, "Which intent is it?", options, names)
	if err != nil || i > 0 {
		return names[i], err
	}
	return s.Ask.required(ctx, "Name of the new intent:", checkName)
}

// checkName refuses what can't be a name in a project's files.
func checkName(name string) error {
	if strings.ContainsAny(name, " \t\"'{}[]()#:,") || strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") {
		return fmt.Errorf("a name has no spaces, brackets, quotes or colons: %q", name)
	}
	return nil
}

// annotate asks for the text with its entities marked.
func (s *Session) annotate(ctx context.Context, text, annotated string) ([]tracker.Entity, error) {
	s.Ask.printf("Mark the entities: [value](type), or [value]{\"entity\": \"type\", \"role\": \"role\"}.\n")
	for {
		answer, err := s.Ask.text(ctx, "Text with its entities (nothing for "+annotated+"):", "")
		if err != nil {
			return nil, err
		}
		if answer == "" {
			answer = annotated
		}
		plain, found, err := nludata.ParseAnnotated(answer)
		switch {
		case err != nil:
			s.Ask.printf("%v\n", err)
		case plain != text:
			s.Ask.printf("Without its marks the text must be %q, not %q.\n", text, plain)
		default:
			var entities []tracker.Entity
			for _, e := range found {
				entities = append(entities, entityOf(e))
			}
			return entities, nil
		}
	}
}

func entityOf(e nludata.Entity) tracker.Entity {
	out := tracker.Entity{"entity": e.Entity, "value": e.Value, "start": int64(e.Start), "end": int64(e.End)}
	if e.Role != "" {
		out["role"] = e.Role
	}
	if e.Group != "" {
		out["group"] = e.Group
	}
	return out
}
