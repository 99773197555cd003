package selector

import (
	"math"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/textmodel"
)

// utter is what the name of a response begins with.
const utter = "utter_"

// rank gives the response keys by falling probability; none if nothing was
// learned or the message has no features.
func (s *Selector) rank(m *nlu.Message, work *textmodel.Scratch) []nlu.Intent {
	if s.learned.model == nil {
		return nil
	}
	p := s.learned.model.Probabilities(m, work)
	if p == nil {
		return nil
	}
	ranking := make([]nlu.Intent, len(p))
	for k, key := range s.learned.keys {
		ranking[k] = nlu.Intent{Name: key, Confidence: p[k]}
	}
	ranking = nlu.Rank(ranking, s.config.RankingLength)
	if s.config.RenormalizeConfidence {
		nlu.Renormalize(ranking)
	}
	return ranking
}

// result is the selector's entry in response_selector (nlu.md §10.7, Rasa
// 3.6.21): its best response with all variations, and the ranking of keys.
func (s *Selector) result(ranking []nlu.Intent) map[string]any {
	best := map[string]any{
		"responses": nil, "confidence": 0.0, "intent_response_key": nil, "utter_action": utter + "None",
	}
	if len(ranking) > 0 {
		key := ranking[0].Name
		best = map[string]any{
			"responses": clone(s.learned.responses[key]), "confidence": ranking[0].Confidence,
			"intent_response_key": key, "utter_action": utter + key,
		}
	}
	keys := make([]any, len(ranking))
	for i, r := range ranking {
		keys[i] = map[string]any{"intent_response_key": r.Name, "confidence": r.Confidence}
	}
	return map[string]any{"response": best, "ranking": keys}
}

// clone copies a JSON value: results belong to whoever asks for them.
func clone(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = clone(v[i])
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key := range v {
			out[key] = clone(v[key])
		}
		return out
	}
	return v
}

// finite puts null where a number is infinite or none, because JSON has no such
// numbers.
func finite(v any) any {
	switch v := v.(type) {
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = finite(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = finite(v[key])
		}
	}
	return v
}

func list(names []string) []any {
	out := make([]any, len(names))
	for i, n := range names {
		out[i] = n
	}
	return out
}
