package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nludata"
)

// echo judges a model that takes every text for the intent "hi".
func echo(_ context.Context, _ string, data *nludata.TrainingData) (*evaluate.Evaluations, error) {
	var outcomes []evaluate.Outcome
	for i := range data.Examples {
		outcomes = append(outcomes, evaluate.Outcome{Example: &data.Examples[i], Intent: nlu.Intent{Name: "hi", Confidence: 0.5}})
	}
	return evaluate.Evaluate(outcomes), nil
}

const (
	asYAML   = "application/x-yaml"
	greeting = "nlu:\n- intent: hi\n  examples: |\n    - hello\n- intent: ${HOME}\n  examples: |\n    - ciao\n"
	judged   = `{"intent_evaluation":{"predictions":[{"text":"hello","intent":"hi","predicted":"hi","confidence":0.5},{"text":"ciao","intent":"`
)

func TestIntentsAreTested(t *testing.T) {
	s := newServer(t, func(s *Settings) { s.Examine, s.Host = echo, &bench{} })
	for _, c := range []struct {
		name, query, kind, body string
		status                  int
		want                    string
	}{
		// Names of environment variables stay as they stand.
		{"YAML", "", asYAML, greeting, 200, judged + `${HOME}","predicted":"hi"`},
		{"YAML with a parameter", "", asYAML + "; charset=utf-8", greeting, 200, judged},
		{"JSON", "", "application/json", `{"rasa_nlu_data":{"common_examples":[{"text":"hello","intent":"hi"},{"text":"ciao","intent":"bye"}]}}`, 200, judged + `bye"`},
		{"lookup tables that name files", "", "application/json", `{"rasa_nlu_data":{"lookup_tables":[{"name":"x","elements":"/no/such/file"}]}}`, 200, `{"intent_evaluation":null,"entity_evaluation":null,"response_selection_evaluation":null}`},
		{"no examples", "", asYAML, "stories: []", 200, `{"intent_evaluation":null,`},
		{"nothing", "", asYAML, "", 400, "You must provide some nlu data"},
		{"broken YAML", "", asYAML, "nlu: [", 400, "not valid YAML"},
		{"broken annotations", "", asYAML, "nlu:\n- intent: a\n  examples: |\n    - [b]{\"c\"}\n", 400, "[invalid-annotation]"},
		{"broken JSON", "", "application/json", "{", 400, "Failed when parsing body as json"},
		{"a list", "", "application/json", "[]", 400, "Failed when parsing body as json"},
		{"deep JSON", "", "application/json", strings.Repeat("[", 1000), 400, "nests deeper"},
		{"entities behind the end", "", "application/json", `{"rasa_nlu_data":{"common_examples":[{"text":"hello","intent":"hi","entities":[{"start":-1,"end":99,"entity":"x"}]}]}}`, 400, "NLU data"},
		{"cross-validation of JSON", "?cross_validation_folds=2", "application/json", "{}", 400, "Cross-validation is only supported for YAML data."},
		{"folds that are no number", "?cross_validation_folds=two", asYAML, greeting, 400, "'cross_validation_folds' is not a number from 2 to 20"},
		{"too many folds", "?cross_validation_folds=21", asYAML, greeting, 400, "from 2 to 20"},
		{"a callback to a file", "?callback_url=file:///etc/passwd", asYAML, greeting, 400, "'callback_url' is not the URL of an HTTP server"},
	} {
		status, body := ask(t, s, "POST", "/model/test/intents"+c.query, c.body, "Content-Type", c.kind)
		if status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d %s\nwant %d and %s", c.name, status, body, c.status, c.want)
		}
	}
}

// The result of a test goes to callback_url, and so does what is wrong with the data.
func TestResultsOfTestsAreCalledBack(t *testing.T) {
	for body, want := range map[string]string{greeting: judged, "nlu: [": `"reason":"BadRequest"`} {
		delivered := make(chan string, 1)
		target := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			data, _ := io.ReadAll(r.Body)
			delivered <- r.Header.Get("Content-Type") + " " + string(data)
		}))
		defer target.Close()
		s := newServer(t, func(s *Settings) { s.Examine = echo })
		if status, answer := ask(t, s, "POST", "/model/test/intents?callback_url="+target.URL, body, "Content-Type", asYAML); status != 204 || answer != "" {
			t.Errorf("the answer is %d %q", status, answer)
		}
		if got := <-delivered; !strings.HasPrefix(got, "application/json ") || !strings.Contains(got, want) {
			t.Errorf("%s was delivered, want %s", got, want)
		}
	}
}

func TestExamplesAreCrossValidated(t *testing.T) {
	s := newServer(t, func(s *Settings) {
		s.CrossValidate = func(_ context.Context, project []byte, folds int) (*evaluate.CrossValidation, error) {
			if string(project) != greeting || folds != 2 {
				return nil, &TrainingError{BadProject, "the pipeline is empty"}
			}
			data := &nludata.TrainingData{Examples: []nludata.Example{{Text: "hello", Intent: "hi"}, {Text: "ciao", Intent: "bye"}}}
			tests, err := echo(context.Background(), "", data)
			return &evaluate.CrossValidation{Tests: tests, Intents: evaluate.Spread{Test: evaluate.Metrics{F1: []float64{0, 1}, Precision: []float64{1, 1}}}}, err
		}
	})
	for query, want := range map[string]struct {
		status int
		text   string
	}{
		"2": {200, `"precision":1.0,"f1_score":0.5,"errors":[{"text":"ciao","intent":"bye"`},
		"3": {500, `An unexpected error occurred during evaluation. Error: the pipeline is empty`},
	} {
		status, body := ask(t, s, "POST", "/model/test/intents?cross_validation_folds="+query, greeting, "Content-Type", asYAML)
		if status != want.status || !strings.Contains(body, want.text) {
			t.Errorf("%s folds: %d %s\nwant %d %s", query, status, body, want.status, want.text)
		}
	}
}

func TestWhatKeepsIntentsFromBeingTested(t *testing.T) {
	broken := func(context.Context, string, *nludata.TrainingData) (*evaluate.Evaluations, error) {
		return nil, errors.New("the secret place")
	}
	for name, c := range map[string]struct {
		change func(*Settings)
		status int
		want   string
	}{
		"no model":            {func(*Settings) {}, 500, `"reason":"TestingError"`},
		"a model that breaks": {func(s *Settings) { s.Examine = broken }, 500, "the server's log has the details"},
		"no token":            {func(s *Settings) { s.Examine, s.AuthToken = echo, "t" }, 401, "NotAuthenticated"},
	} {
		status, body := ask(t, newServer(t, c.change), "POST", "/model/test/intents", greeting, "Content-Type", asYAML)
		if status != c.status || !strings.Contains(body, c.want) || strings.Contains(body, "secret place") {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

// A test takes all cores; a second one has to wait, and a sixth one is too many.
func TestOneTestRunsAtATime(t *testing.T) {
	started, end := make(chan bool), make(chan bool)
	s := newServer(t, func(s *Settings) {
		s.Examine = func(ctx context.Context, model string, data *nludata.TrainingData) (*evaluate.Evaluations, error) {
			if model != "other.tar.gz" {
				t.Errorf("the model is %q", model)
			}
			started <- true
			<-end
			return echo(ctx, model, data)
		}
	})
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	first := make(chan int)
	go func() {
		status, _ := ask(t, s, "POST", "/model/test/intents?model=other.tar.gz", greeting, "Content-Type", asYAML)
		first <- status
	}()
	<-started
	if _, err := s.tests.wait(ended); err == nil {
		t.Error("a second test runs beside the first")
	}
	for range maxJobs - 1 {
		s.tests.enter()
	}
	if status, body := ask(t, s, "POST", "/model/test/intents", greeting, "Content-Type", asYAML); status != 429 {
		t.Errorf("the sixth test: %d %s, want 429", status, body)
	}
	end <- true
	if status := <-first; status != 200 {
		t.Errorf("the first test: %d", status)
	}
	if _, err := s.tests.wait(t.Context()); err != nil {
		t.Error("the second test still waits:", err)
	}
}
