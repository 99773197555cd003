package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Examiner judges how well a model understands annotated examples: the one at a
// path, or the running one if the path is empty.
type Examiner func(ctx context.Context, model string, data *nludata.TrainingData) (*evaluate.Evaluations, error)

// testIntents serves POST /model/test/intents: NLU data as YAML, or as JSON in
// Rasa's format, and what the model makes of it. One test runs at a time: it
// takes all cores from those who talk.
func (s *Server) testIntents(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, "") {
		return
	}
	body, err := httpio.ReadBody(w, r, maxBody)
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return
	}
	if len(body) == 0 {
		s.badRequest(w, "You must provide some nlu data in the request body in order to evaluate your model.")
		return
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	asYAML := kind == "application/x-yaml"
	for _, name := range []string{"callback_url", "cross_validation_folds"} {
		switch {
		case r.URL.Query().Get(name) == "":
		case name == "cross_validation_folds" && !asYAML:
			s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "TestingError", Message: "Cross-validation is only supported for YAML data."})
			return
		default:
			s.notBuilt(w, name)
			return
		}
	}
	data, ok := s.examples(w, r, body, asYAML)
	if !ok {
		return
	}
	if !s.testing.CompareAndSwap(false, true) {
		w.Header().Set("Retry-After", "10")
		s.refuse(w, problem{Status: http.StatusTooManyRequests, Reason: "TooManyRequests", Message: "Another test is running. Try again when it has ended."})
		return
	}
	defer s.testing.Store(false)
	s.examine(w, r, data)
}

func (s *Server) examine(w http.ResponseWriter, r *http.Request, data *nludata.TrainingData) {
	if s.settings.Examine == nil {
		s.testingError(w, "There is no model.")
		return
	}
	found, err := s.settings.Examine(r.Context(), r.URL.Query().Get("model"), data)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	case err != nil:
		s.log.ErrorContext(r.Context(), "model can't be tested", "err", err)
		s.testingError(w, "The model can't be tested; the server's log has the details.")
	default:
		httpio.WriteJSON(w, http.StatusOK, found.Summary())
	}
}

// examples reads annotated examples, and answers what is wrong with them.
func (s *Server) examples(w http.ResponseWriter, r *http.Request, body []byte, asYAML bool) (*nludata.TrainingData, bool) {
	var problems diag.List
	var data *nludata.TrainingData
	if asYAML {
		data = nludata.Read(yamlfile.ParseForeign(body, "body", &problems), &problems)
	} else {
		err := httpio.CheckDepth(body)
		if err == nil {
			body, err = examplesAlone(body)
		}
		if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
			httpio.Refuse(w, r, bad)
			return nil, false
		}
		data = nludata.ReadJSON(body, "body", &problems)
	}
	if err := problems.Err(); err != nil {
		s.badRequest(w, "The request body does not contain valid NLU data. Error: "+err.Error())
		return nil, false
	}
	return data, true
}

// examplesAlone leaves the examples of NLU data in JSON and nothing else: lookup
// tables may name files of this machine.
func examplesAlone(body []byte) ([]byte, error) {
	var given struct {
		Data struct {
			Examples json.RawMessage `json:"common_examples,omitempty"`
		} `json:"rasa_nlu_data"`
	}
	if err := json.Unmarshal(body, &given); err != nil {
		return nil, &httpio.BadRequest{Status: http.StatusBadRequest, Message: "Failed when parsing body as json"}
	}
	return json.Marshal(given)
}

func (s *Server) badRequest(w http.ResponseWriter, message string) {
	s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "BadRequest", Message: message})
}

func (s *Server) testingError(w http.ResponseWriter, message string) {
	s.refuse(w, problem{Status: http.StatusInternalServerError, Reason: "TestingError", Message: "An unexpected error occurred during evaluation. Error: " + message})
}
