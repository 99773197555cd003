package nlu

import "slices"

// ParseResult is what is known about a message at the end of a pipeline, in the
// shape of POST /model/parse (nlu.md §11, Rasa 3.6.21). The values are plain JSON
// values; the caller owns them.
func (m *Message) ParseResult() map[string]any {
	entities := make([]any, len(m.Entities))
	for i := range m.Entities {
		entities[i] = m.Entities[i].Result()
	}
	out := map[string]any{"text": m.Values[Text], "intent": m.resultIntent().result(), "entities": entities}
	if m.Ranking != nil && !m.RankingHidden {
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

// resultIntent is the intent as results show it.
func (m *Message) resultIntent() Intent {
	var intent Intent
	if m.Intent != nil {
		intent = *m.Intent
	}
	if !m.Decided && m.isRetrievalIntent(intent.Name) {
		intent.FullRetrievalName, intent.HasFullRetrievalName = m.selectedKey(intent.Name), true
	}
	return intent
}

// isRetrievalIntent reports whether a ResponseSelector chooses responses for the
// intent.
func (m *Message) isRetrievalIntent(intent string) bool {
	switch all := m.Selector["all_retrieval_intents"].(type) {
	case []string:
		return slices.Contains(all, intent)
	case []any:
		return slices.Contains(all, any(intent))
	}
	return false
}

// selectedKey returns the response key that the intent's own selector chose, ""
// if there is only one for all intents.
func (m *Message) selectedKey(intent string) string {
	selector, _ := m.Selector[intent].(map[string]any)
	response, _ := selector["response"].(map[string]any)
	key, _ := response["intent_response_key"].(string)
	return key
}

func (i Intent) result() map[string]any {
	out := map[string]any{"name": nullable(i.Name), "confidence": i.Confidence}
	if i.HasFullRetrievalName {
		out["full_retrieval_intent_name"] = nullable(i.FullRetrievalName)
	}
	return out
}

// Result gives the entity as it stands in a parse result, in plain JSON values.
func (e *Entity) Result() map[string]any {
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
