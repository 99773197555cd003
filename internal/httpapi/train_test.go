package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trainer writes what it was asked for instead of a model.
func trainer(t *testing.T, removed *int) Trainer {
	path := filepath.Join(t.TempDir(), "m.tar.gz")
	return func(_ context.Context, r TrainRequest) (*Trained, error) {
		switch text := string(r.Project); text {
		case "yaml":
			return nil, &TrainingError{BadYAML, "no YAML"}
		case "domain":
			return nil, &TrainingError{BadDomain, "no domain"}
		case "endless":
			return nil, &TrainingError{TooLarge, "no end"}
		case "rules":
			return nil, &TrainingError{BadProject, "no rules"}
		case "disk":
			return nil, errors.New("/secret is full")
		}
		if err := os.WriteFile(path, r.Project, 0o600); err != nil {
			return nil, err
		}
		if r.Save || !r.Force || r.Augmentation != 7 || r.Threads != 1 {
			return nil, &TrainingError{BadProject, "parameters"}
		}
		return &Trained{Path: path, Name: "m.tar.gz", Remove: func() { *removed++ }}, nil
	}
}

const trainTarget = "/model/train?save_to_default_model_directory=false&force_training=true&augmentation=7&num_threads=many"

func TestTraining(t *testing.T) {
	removed := 0
	s := newServer(t, func(s *Settings) { s.Train = trainer(t, &removed) })
	for body, want := range map[string]string{
		"model": "model", "": `"reason":"BadRequest"`, "yaml": `"reason":"BadRequest"`, "domain": `"reason":"InvalidDomainError"`, "endless": `"code":413`,
		"rules": `"message":"no rules","reason":"TrainingError"`, "disk": `"reason":"TrainingError"`,
	} {
		if _, got := ask(t, s, "POST", trainTarget, body); !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("%q: %s", body, got)
		}
	}
	r := httptest.NewRequest("POST", trainTarget, strings.NewReader("model"))
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	if w.Header().Get("filename") != "m.tar.gz" || w.Header().Get("Content-Type") != "application/x-tar" || removed != 2 {
		t.Errorf("%v, %d removed", w.Header(), removed)
	}
	for range maxJobs {
		s.trainings.enter()
	}
	if status, _ := ask(t, s, "POST", trainTarget, "model"); status != 429 {
		t.Errorf("one too many: %d", status)
	}
	if _, body := ask(t, s, "GET", "/status", ""); !strings.Contains(body, `"num_active_training_jobs":5`) {
		t.Error(body)
	}
}

func TestTrainingCallsBack(t *testing.T) {
	got := make(chan string, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got <- r.Header.Get("Content-Type") + " " + string(body)
	}))
	defer receiver.Close()
	removed := 0
	s := newServer(t, func(s *Settings) {
		s.Train, s.Callbacks = trainer(t, &removed), &http.Transport{DisableKeepAlives: true}
	})
	for body, want := range map[string]string{"model": "application/x-tar model", "rules": `application/json {"code":500,`} {
		if status, answer := ask(t, s, "POST", trainTarget+"&callback_url="+receiver.URL, body); status != 204 || answer != "" {
			t.Errorf("%d %s", status, answer)
		}
		if have := <-got; !strings.HasPrefix(have, want) {
			t.Errorf("the callback got %s, want %s", have, want)
		}
		s.background.Wait()
	}
	if removed != 1 || s.trainings.jobs.Load() != 0 {
		t.Errorf("%d removed, %d run", removed, s.trainings.jobs.Load())
	}
	if status, _ := ask(t, s, "POST", "/model/train?callback_url=file:///etc/passwd", "model"); status != 400 {
		t.Errorf("a file as callback: %d", status)
	}
}
