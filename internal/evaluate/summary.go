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
