package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Examiner judges how well a model understands annotated examples: the one at a
// path, or the running one if the path is empty.
type Examiner func(ctx context.Context, model string, data *nludata.TrainingData) (*evaluate.Evaluations, error)

// CrossValidator trains and tests the project of a request, a document with its
// configuration and NLU data, on parts of its examples in turn. A *TrainingError is
// the project's fault.
type CrossValidator func(ctx context.Context, project []byte, folds int) (*evaluate.CrossValidation, error)

// mostFolds bounds a cross-validation, which trains a model for each fold.
const mostFolds = 20

// testIntents serves POST /model/test/intents: NLU data as YAML, or as JSON in
// Rasa's format, and what the model makes of it. One test runs at a time,
// others wait.
func (s *Server) testIntents(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, "") {
		return
	}
	target, ok := s.callbackURL(w, r)
	if !ok {
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
	test := intentTest{body: body, asYAML: kind == "application/x-yaml", model: r.URL.Query().Get("model")}
	if text := r.URL.Query().Get("cross_validation_folds"); text != "" {
		if !test.asYAML {
			s.refuse(w, problem{Status: http.StatusBadRequest, Reason: "TestingError", Message: "Cross-validation is only supported for YAML data."})
			return
		}
		if test.folds, err = strconv.Atoi(text); err != nil || test.folds < 2 || test.folds > mostFolds {
			s.refuse(w, problem{
				Status: http.StatusBadRequest, Reason: "BadRequest", Details: parameter("cross_validation_folds", "query"),
				Message: fmt.Sprintf("'cross_validation_folds' is not a number from 2 to %d", mostFolds),
			})
			return
		}
	}
	if !s.enterTest(w) {
		return
	}
	if target == "" {
		defer s.tests.leave()
		s.write(w, r, s.examine(r.Context(), test))
		return
	}
	s.background.Go(func() {
		defer s.tests.leave()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.settings.ResponseTimeout)
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)()
		if err := s.post(ctx, target, http.Header{"Content-Type": {"application/json"}}, s.examine(ctx, test).reader()); err != nil {
			s.log.ErrorContext(ctx, "the result of a test was not delivered", "err", err)
		}
	})
	w.WriteHeader(http.StatusNoContent)
}

// enterTest counts a test of a model. Without ok the request is answered.
func (s *Server) enterTest(w http.ResponseWriter) (ok bool) {
	if s.tests.enter() {
		return true
	}
	w.Header().Set("Retry-After", "10")
	s.refuse(w, problem{Status: http.StatusTooManyRequests, Reason: "TooManyRequests", Message: "Too many tests are waiting. Try again later."})
	return false
}

// intentTest is what a request wants to have tested.
type intentTest struct {
	body   []byte
	asYAML bool
	model  string // path; "" for the running one
	folds  int    // of a cross-validation; 0 for none
}

// testResult is what came of a test: a result, or what is wrong.
type testResult struct {
	found   any
	problem *problem
	request *httpio.BadRequest
	late    bool // it took longer than a request may
}

// reader is the result for those who are called back.
func (t testResult) reader() io.Reader {
	switch {
	case t.late:
		t.problem = &problem{Status: http.StatusServiceUnavailable, Reason: "TestingError", Message: "Response Timeout"}
	case t.request != nil:
		t.problem = &problem{Status: t.request.Status, Reason: "BadRequest", Message: t.request.Message}
	}
	if t.problem != nil {
		return t.problem.reader()
	}
	var b bytes.Buffer
	_ = httpio.Encode(&b, t.found) // strings and numbers alone
	return &b
}

// write answers with the result.
func (s *Server) write(w http.ResponseWriter, r *http.Request, t testResult) {
	switch {
	case t.late:
		s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
	case t.request != nil:
		httpio.Refuse(w, r, t.request)
	case t.problem != nil:
		s.refuse(w, *t.problem)
	default:
		httpio.WriteJSON(w, http.StatusOK, t.found)
	}
}

// failed is the result of a test that broke off.
func (s *Server) failed(ctx context.Context, err error) testResult {
	if errors.Is(err, context.DeadlineExceeded) {
		return testResult{late: true}
	}
	if bad, ok := errors.AsType[*TrainingError](err); ok {
		if bad.Kind == BadProject {
			return testResult{problem: testingError(bad.Message)}
		}
		p := s.trainingProblem(ctx, bad)
		return testResult{problem: &p}
	}
	s.log.ErrorContext(ctx, "model can't be tested", "err", err)
	return testResult{problem: testingError("The model can't be tested; the server's log has the details.")}
}

// examine waits for its turn and tests.
func (s *Server) examine(ctx context.Context, test intentTest) testResult {
	done, err := s.tests.wait(ctx)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer done()
	if test.folds > 0 {
		return s.crossValidate(ctx, test)
	}
	data, wrong := examples(test)
	if wrong != nil {
		return *wrong
	}
	if s.settings.Examine == nil {
		return testResult{problem: testingError("There is no model.")}
	}
	found, err := s.settings.Examine(ctx, test.model, data)
	if err != nil {
		return s.failed(ctx, err)
	}
	return testResult{found: found.Summary()}
}

// crossValidate trains, and waits for other trainings to end.
func (s *Server) crossValidate(ctx context.Context, test intentTest) testResult {
	done, err := s.trainings.wait(ctx)
	if err != nil {
		return s.failed(ctx, err)
	}
	defer done()
	found, err := s.settings.CrossValidate(ctx, test.body, test.folds)
	if err != nil {
		return s.failed(ctx, err)
	}
	return testResult{found: found.Summary()}
}

// examples reads annotated examples, or says what is wrong with them.
func examples(test intentTest) (*nludata.TrainingData, *testResult) {
	var problems diag.List
	var data *nludata.TrainingData
	if test.asYAML {
		data = nludata.Read(yamlfile.ParseForeign(test.body, "body", &problems), &problems)
	} else {
		err := httpio.CheckDepth(test.body)
		body := test.body
		if err == nil {
			body, err = examplesAlone(body)
		}
		if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
			return nil, &testResult{request: bad}
		}
		data = nludata.ReadJSON(body, "body", &problems)
	}
	if err := problems.Err(); err != nil {
		return nil, &testResult{problem: &problem{
			Status: http.StatusBadRequest, Reason: "BadRequest", Message: "The request body does not contain valid NLU data. Error: " + err.Error(),
		}}
	}
	return data, nil
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

func testingError(message string) *problem {
	return &problem{Status: http.StatusInternalServerError, Reason: "TestingError", Message: "An unexpected error occurred during evaluation. Error: " + message}
}
