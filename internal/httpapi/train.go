package httpapi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/loquat-dev/loquat/internal/httpio"
)

// Trainer trains a project that came in a request. A *TrainingError is the
// project's fault.
type Trainer func(ctx context.Context, r TrainRequest) (*Trained, error)

// TrainRequest is a project in one YAML document, and how it is trained.
type TrainRequest struct {
	Project      []byte
	Save         bool // keep the model in the default folder
	Force        bool
	Augmentation int
	Threads      int
}

// Trained is a model that was trained for a request.
type Trained struct {
	Path, Name string
	Remove     func() // what was written for the request alone
}

// TrainingError says what is wrong with a project.
type TrainingError struct {
	Kind    TrainingErrorKind
	Message string
}

// TrainingErrorKind is what Rasa tells apart, and TooLarge.
type TrainingErrorKind int

// The kinds.
const (
	BadProject TrainingErrorKind = iota // can't be trained
	BadYAML
	BadDomain
	TooLarge // to be trained here: more paths through stories than can be walked
)

func (e *TrainingError) Error() string { return e.Message }

// callbackTime bounds the sending of a result.
const callbackTime = time.Minute

// train serves POST /model/train. The trained model is the answer; it is not
// loaded.
func (s *Server) train(w http.ResponseWriter, r *http.Request) {
	if !s.admit(w, r, "") {
		return
	}
	query := r.URL.Query()
	target, ok := s.callbackURL(w, r)
	if !ok {
		return
	}
	body, err := httpio.ReadBody(w, r, maxBody)
	if err != nil {
		httpio.Refuse(w, r, err)
		return
	}
	if !s.trainings.enter() {
		w.Header().Set("Retry-After", "60")
		s.refuse(w, problem{Status: http.StatusTooManyRequests, Reason: "TooManyRequests", Message: "Too many trainings are waiting. Try again later."})
		return
	}
	request := TrainRequest{
		Project: body, Save: !isFalse(query.Get("save_to_default_model_directory")), Force: truthful(query.Get("force_training")),
		Augmentation: s.number(r, "augmentation", 50), Threads: s.number(r, "num_threads", 1),
	}
	if target == "" {
		defer s.trainings.leave()
		s.answerTraining(w, r, request)
		return
	}
	s.background.Go(func() {
		defer s.trainings.leave()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), s.settings.ResponseTimeout)
		defer cancel()
		defer context.AfterFunc(s.stopping, cancel)()
		if err := s.callBack(ctx, target, request); err != nil {
			s.log.ErrorContext(ctx, "the result of a training was not delivered", "err", err)
		}
	})
	w.WriteHeader(http.StatusNoContent)
}

// isFalse is how Rasa reads a boolean parameter that is true without a value.
func isFalse(s string) bool { return s != "" && !truthful(s) }

// number reads a whole number; what is none is the default, as in Rasa, with a
// warning.
func (s *Server) number(r *http.Request, name string, otherwise int) int {
	text := r.URL.Query().Get(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > 10_000 {
		s.log.WarnContext(r.Context(), "parameter is no number that can be used; the default is", "parameter", name, "default", otherwise)
		return otherwise
	}
	return n
}

// callbackURL is where a result is to be sent, "" for nowhere. Without ok the
// request is answered.
func (s *Server) callbackURL(w http.ResponseWriter, r *http.Request) (target string, ok bool) {
	target = r.URL.Query().Get("callback_url")
	if target == "" {
		return "", true
	}
	u, err := url.Parse(target)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		s.refuse(w, problem{
			Status: http.StatusBadRequest, Reason: "BadRequest", Message: "'callback_url' is not the URL of an HTTP server", Details: parameter("callback_url", "query"),
		})
		return "", false
	}
	return target, true
}

// runTraining waits for its turn and trains.
func (s *Server) runTraining(ctx context.Context, request TrainRequest) (*Trained, error) {
	if len(request.Project) == 0 {
		return nil, &TrainingError{BadYAML, "You must provide training data in the request body in order to train your model."}
	}
	done, err := s.trainings.wait(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	return s.settings.Train(ctx, request)
}

func (s *Server) answerTraining(w http.ResponseWriter, r *http.Request, request TrainRequest) {
	trained, err := s.runTraining(r.Context(), request)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			s.fail(w, r, http.StatusServiceUnavailable, "Response Timeout")
			return
		}
		s.refuse(w, s.trainingProblem(r.Context(), err))
		return
	}
	defer trained.Remove()
	file, err := os.Open(trained.Path)
	if err != nil {
		s.refuse(w, s.trainingProblem(r.Context(), err))
		return
	}
	defer file.Close()
	w.Header().Set("Content-Type", "application/x-tar")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", trained.Name))
	w.Header().Set("filename", trained.Name)
	if _, err := io.Copy(w, file); err != nil {
		s.log.DebugContext(r.Context(), "the client did not take the model", "err", err)
	}
}

// trainingProblem is the error answer of a training.
func (s *Server) trainingProblem(ctx context.Context, err error) problem {
	bad, ok := errors.AsType[*TrainingError](err)
	if !ok {
		s.log.ErrorContext(ctx, "training failed", "err", err)
		return problem{Status: http.StatusInternalServerError, Reason: "TrainingError", Message: "An unexpected error occurred during training; the server's log has the details."}
	}
	switch bad.Kind {
	case BadYAML:
		return problem{Status: http.StatusBadRequest, Reason: "BadRequest", Message: bad.Message}
	case BadDomain:
		return problem{Status: http.StatusBadRequest, Reason: "InvalidDomainError", Message: bad.Message}
	case TooLarge:
		return problem{Status: http.StatusRequestEntityTooLarge, Reason: "TrainingError", Message: bad.Message}
	}
	return problem{Status: http.StatusInternalServerError, Reason: "TrainingError", Message: bad.Message}
}

// callBack trains and posts the model, or the error, once.
func (s *Server) callBack(ctx context.Context, target string, request TrainRequest) error {
	trained, err := s.runTraining(ctx, request)
	var body io.Reader
	kind := "application/json"
	if err == nil {
		defer trained.Remove()
		file, err := os.Open(trained.Path)
		if err != nil {
			return err
		}
		defer file.Close()
		body, kind = file, "application/x-tar"
	} else {
		body = s.trainingProblem(ctx, err).reader()
	}
	header := http.Header{"Content-Type": {kind}}
	if trained != nil {
		header.Set("filename", trained.Name)
	}
	return s.post(ctx, target, header, body)
}

// post sends a result to a callback_url, once.
func (s *Server) post(ctx context.Context, target string, header http.Header, body io.Reader) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), callbackTime)
	defer cancel()
	defer context.AfterFunc(s.stopping, cancel)()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, target, body)
	if err != nil {
		return err
	}
	post.Header = header
	resp, err := s.callbacks.Do(post)
	if err != nil {
		return err
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode >= 300 {
		return errors.Join(err, fmt.Errorf("the server at callback_url answered %s", resp.Status))
	}
	return nil
}
