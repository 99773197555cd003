package evaluate

import (
	"encoding/json"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// Evaluation is everything about one kind of prediction.
type Evaluation struct {
	Name  string // what its files begin with: "intent", "response_selection", or an extractor's name
	What  string // what is judged, in words: "Intent", "Response Selection" or "Entity"
	Of    int    // examples in the test data
	Count int    // examples that are annotated with it

	Report *Report
	Pairs  []Pair
	// Errors and Successes are the records of examples that were wrong and right,
	// in their order. An example with entities can be both.
	Errors, Successes []any
	// Predictions are those of all examples in short; none for entities.
	Predictions []any
	// Right and Wrong are the confidences of what was predicted.
	Right, Wrong []float64
}

// Evaluations are the evaluations of one set of outcomes.
type Evaluations struct {
	Intents   *Evaluation   // nil with fewer than two intents
	Responses *Evaluation   // nil with fewer than two response keys
	Entities  []*Evaluation // by name of the extractor
}

// All lists the evaluations that there are.
func (e *Evaluations) All() []*Evaluation {
	var out []*Evaluation
	for _, x := range append([]*Evaluation{e.Intents, e.Responses}, e.Entities...) {
		if x != nil {
			out = append(out, x)
		}
	}
	return out
}

// Evaluate compares outcomes with their annotations.
func Evaluate(outcomes []Outcome) *Evaluations {
	return &Evaluations{Intents: Intents(outcomes), Responses: Responses(outcomes), Entities: Entities(outcomes)}
}

// prediction is a name with its confidence, as error files write it.
type prediction struct {
	Name       string `json:"name"`
	Confidence number `json:"confidence"`
}

// intentRecord is an entry of intent_errors.json and intent_successes.json.
type intentRecord struct {
	Text       string     `json:"text"`
	Intent     string     `json:"intent"`
	Prediction prediction `json:"intent_prediction"`
}

// responseRecord is an entry of response_selection_errors.json and its like.
type responseRecord struct {
	Text       string     `json:"text"`
	Target     string     `json:"intent_response_key_target"`
	Prediction prediction `json:"intent_response_key_prediction"`
}

// entityRecord is an entry of an extractor's errors and successes. It shows what
// all extractors found.
type entityRecord struct {
	Text      string            `json:"text"`
	Entities  []annotation      `json:"entities"`
	Predicted []json.RawMessage `json:"predicted_entities"`
}

// annotation is an annotated entity.
type annotation struct {
	Start  int    `json:"start"`
	End    int    `json:"end"`
	Value  any    `json:"value"`
	Entity string `json:"entity"`
	Role   string `json:"role,omitempty"`
	Group  string `json:"group,omitempty"`
}

// Intents judges the intents of examples that have one; nil if they have fewer
// than two different ones, which leaves nothing to confuse (Rasa 3.6).
func Intents(outcomes []Outcome) *Evaluation { return intents(outcomes).orNil() }

func intents(outcomes []Outcome) *Evaluation {
	e := &Evaluation{Name: "intent", What: "Intent", Of: len(outcomes)}
	for _, o := range outcomes {
		if target := o.Example.Intent; target != "" {
			text, p := o.Example.Text, prediction{o.Intent.Name, number(o.Intent.Confidence)}
			e.add(target, o.Intent, intentRecord{text, target, p})
			e.Predictions = append(e.Predictions, intentPrediction{text, target, p.Name, p.Confidence})
		}
	}
	e.Report = NewReport(e.Pairs, "")
	return e
}

// Responses judges the selected responses of examples of retrieval intents; nil
// if there are fewer than two response keys.
func Responses(outcomes []Outcome) *Evaluation { return responses(outcomes).orNil() }

func responses(outcomes []Outcome) *Evaluation {
	e := &Evaluation{Name: "response_selection", What: "Response Selection", Of: len(outcomes)}
	for _, o := range outcomes {
		if target := o.Example.IntentResponseKey; target != "" {
			text, p := o.Example.Text, prediction{o.Response.Name, number(o.Response.Confidence)}
			e.add(target, o.Response, responseRecord{text, target, p})
			e.Predictions = append(e.Predictions, responsePrediction{text, target, p.Name, p.Confidence})
		}
	}
	e.Report = NewReport(e.Pairs, "")
	return e
}

// add judges one example.
func (e *Evaluation) add(target string, predicted nlu.Intent, record any) {
	e.Count++
	e.Pairs = append(e.Pairs, Pair{target, predicted.Name})
	if target == predicted.Name {
		e.Successes = append(e.Successes, record)
		e.Right = append(e.Right, predicted.Confidence)
	} else {
		e.Errors = append(e.Errors, record)
		e.Wrong = append(e.Wrong, predicted.Confidence)
	}
}

// orNil is nothing where there is nothing to confuse.
func (e *Evaluation) orNil() *Evaluation {
	if len(e.Report.Labels) < 2 {
		return nil
	}
	return e
}

func newEntityRecord(o *Outcome) entityRecord {
	r := entityRecord{Text: o.Example.Text, Entities: []annotation{}, Predicted: []json.RawMessage{}}
	for _, a := range o.Example.Entities {
		r.Entities = append(r.Entities, annotationOf(a))
	}
	for i := range o.Entities {
		if data, err := o.Entities[i].ResultJSON(); err == nil { // always: its values come from JSON or YAML
			r.Predicted = append(r.Predicted, data)
		}
	}
	return r
}

func annotationOf(a nludata.Entity) annotation {
	return annotation{a.Start, a.End, a.Value, a.Entity, a.Role, a.Group}
}
