package evaluate

// summary is an evaluation as POST /model/test/intents answers it.
type summary struct {
	Predictions []any   `json:"predictions,omitempty"`
	Report      *Report `json:"report"`
	Precision   number  `json:"precision"` // means over examples
	F1          number  `json:"f1_score"`
	Accuracy    number  `json:"accuracy"`
	Errors      []any   `json:"errors"`
}

// intentPrediction is one of the predictions of intents.
type intentPrediction struct {
	Text       string `json:"text"`
	Intent     string `json:"intent"`
	Predicted  string `json:"predicted"`
	Confidence number `json:"confidence"`
}

// responsePrediction is one of the predictions of responses.
type responsePrediction struct {
	Text       string `json:"text"`
	Target     string `json:"intent_response_key_target"`
	Predicted  string `json:"intent_response_key_prediction"`
	Confidence number `json:"confidence"`
}

// Summary gives the evaluations in the shape of POST /model/test/intents (Rasa
// 3.6.21). What was not judged is null.
func (e *Evaluations) Summary() any {
	out := struct {
		Intents   *summary            `json:"intent_evaluation"`
		Entities  map[string]*summary `json:"entity_evaluation"`
		Responses *summary            `json:"response_selection_evaluation"`
	}{Intents: e.Intents.summary(), Responses: e.Responses.summary()}
	for _, x := range e.Entities {
		if out.Entities == nil {
			out.Entities = map[string]*summary{}
		}
		out.Entities[x.Name] = x.summary()
	}
	return out
}

func (e *Evaluation) summary() *summary {
	if e == nil {
		return nil
	}
	w := e.Report.Weighted
	s := &summary{Predictions: e.Predictions, Report: e.Report, Precision: w.Precision, F1: w.F1, Accuracy: e.Report.Accuracy, Errors: e.Errors}
	if s.Errors == nil {
		s.Errors = []any{}
	}
	return s
}

// foldsSummary is an evaluation of a cross-validation as POST /model/test/intents
// answers it: the numbers are means over the folds, null where nothing was judged.
type foldsSummary struct {
	Report    any     `json:"report"`
	Precision *number `json:"precision"`
	F1        *number `json:"f1_score"`
	Errors    []any   `json:"errors"`
}

// Summary gives a cross-validation in the shape of POST /model/test/intents (Rasa
// 3.6.21). Entities are listed by extractor if there are any.
func (c *CrossValidation) Summary() any {
	entities := any(new(Evaluation).foldsSummary(Metrics{}))
	if len(c.Tests.Entities) > 0 {
		byName := map[string]foldsSummary{}
		for _, e := range c.Tests.Entities {
			for _, spread := range c.Entities {
				if spread.Name == e.Name {
					byName[e.Name] = e.foldsSummary(spread.Test)
				}
			}
		}
		entities = byName
	}
	return struct {
		Intents   foldsSummary `json:"intent_evaluation"`
		Entities  any          `json:"entity_evaluation"`
		Responses foldsSummary `json:"response_selection_evaluation"`
	}{c.Tests.Intents.foldsSummary(c.Intents.Test), entities, c.Tests.Responses.foldsSummary(c.Responses.Test)}
}

func (e *Evaluation) foldsSummary(m Metrics) foldsSummary {
	s := foldsSummary{Report: struct{}{}, Errors: []any{}}
	if e != nil && e.Report != nil {
		s.Report, s.Errors = e.Report, append(s.Errors, e.Errors...)
	}
	mean := func(values []float64) *number {
		if len(values) == 0 {
			return nil
		}
		m, _ := Mean(values)
		n := number(m)
		return &n
	}
	s.Precision, s.F1 = mean(m.Precision), mean(m.F1)
	return s
}
