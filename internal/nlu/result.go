package nlu

// ParseResult is what is known about a message at the end of a pipeline, in the
// shape of POST /model/parse (nlu.md §11, Rasa 3.6.21). The values are plain JSON
// values; the caller owns them.
func (m *Message) ParseResult() map[string]any {
	intent := map[string]any{"name": nil, "confidence": 0.0}
	if m.Intent != nil {
		intent = m.Intent.result()
	}
	entities := make([]any, len(m.Entities))
	for i := range m.Entities {
		entities[i] = m.Entities[i].result()
	}
	out := map[string]any{"text": m.Values[Text], "intent": intent, "entities": entities}
	if m.Ranking != nil {
		ranking := make([]any, len(m.Ranking))
		for i := range m.Ranking {
			ranking[i] = m.Ranking[i].result()
		}
		out["intent_ranking"] = ranking
	}
	if m.Decided {
		return out
	}
	if tokens := m.Tokens[Text]; tokens != nil {
		spans := make([]any, len(tokens))
		for i, t := range tokens {
			spans[i] = []any{int64(t.Start), int64(t.End)}
		}
		out["text_tokens"] = spans
	}
	if m.Selector != nil {
		out["response_selector"] = m.Selector
	}
	return out
}

func (i Intent) result() map[string]any {
	out := map[string]any{"name": nullable(i.Name), "confidence": i.Confidence}
	if i.HasFullRetrievalName {
		out["full_retrieval_intent_name"] = nullable(i.FullRetrievalName)
	}
	return out
}

func (e *Entity) result() map[string]any {
	out := map[string]any{"entity": e.Entity, "start": int64(e.Start), "end": int64(e.End), "value": e.Value}
	for key, value := range map[string]string{"role": e.Role, "group": e.Group, "extractor": e.Extractor} {
		if value != "" {
			out[key] = value
		}
	}
	for key, value := range map[string]*float64{
		"confidence_entity": e.ConfidenceEntity, "confidence_role": e.ConfidenceRole, "confidence_group": e.ConfidenceGroup,
	} {
		if value != nil {
			out[key] = *value
		}
	}
	if len(e.Processors) > 0 {
		processors := make([]any, len(e.Processors))
		for i, p := range e.Processors {
			processors[i] = p
		}
		out["processors"] = processors
	}
	for key, value := range e.Extra {
		out[key] = value
	}
	return out
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}
