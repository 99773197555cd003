// Package httpapi serves the HTTP API of Rasa 3.6 and mounts the channels.
//
// Handlers translate between HTTP and an Assistant; what a request may cost is
// bounded around them: size, depth and time of bodies, time of the answer. With
// the API switched off only the channels and "/" are there. What is known but not
// built is answered with 501, which says so.
package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/lockstore"
)

// Settings are what a Server needs.
type Settings struct {
	Host     Host
	Channels []channel.Input // as listed in credentials.yml

	EnableAPI       bool
	AuthToken       string
	JWT             JWT
	CORS            []string      // origins, or "*"
	ResponseTimeout time.Duration // DefaultResponseTimeout if 0

	// Examine judges how well a model understands annotated examples: the running
	// one, or the one at a path; nil where there is nobody to do so.
	Examine Examiner
	// CrossValidate judges how well a project's examples can be learned.
	CrossValidate CrossValidator
	// PlayStories tests the running model with stories.
	PlayStories StoryPlayer

	// Train trains projects that come in requests.
	Train Trainer
	// Callbacks is the transport of results that are posted to a callback_url;
	// http.DefaultTransport if nil.
	Callbacks http.RoundTripper
	// Checks are what GET /readyz asks, by name.
	Checks map[string]Check
	// Middleware wraps all handlers, for tracing; nil for none.
	Middleware func(http.Handler) http.Handler
	Log        *slog.Logger
}

// DefaultResponseTimeout is that of Rasa.
const DefaultResponseTimeout = time.Hour

// maxBody bounds the bodies of API requests, in bytes. Channels have their own
// bounds.
const maxBody = 32 << 20

// Server is the HTTP side of a running assistant.
type Server struct {
	settings Settings
	log      *slog.Logger
	auth     *auth
	cors     *cors
	mux      *http.ServeMux
	draining atomic.Bool

	trainings  *queue
	tests      *queue
	callbacks  *http.Client
	background sync.WaitGroup
	stopping   context.Context // ends with Serve
	stop       context.CancelFunc
}

// New returns a server, or an error that says which setting is wrong.
func New(settings Settings) (*Server, error) {
	if settings.ResponseTimeout == 0 {
		settings.ResponseTimeout = DefaultResponseTimeout
	}
	a, err := newAuth(settings.AuthToken, settings.JWT)
	if err != nil {
		return nil, err
	}
	s := &Server{
		settings: settings,
		log:      settings.Log,
		auth:     a,
		cors:     newCORS(settings.CORS),
		mux:      http.NewServeMux(),

		trainings: newQueue(),
		tests:     newQueue(),
		callbacks: &http.Client{
			Transport:     settings.Callbacks,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	s.routes()
	return s, nil
}

func (s *Server) routes() {
	s.mux.HandleFunc("GET /{$}", s.root)
	s.mux.HandleFunc("GET /healthz", s.healthz)
	s.mux.HandleFunc("GET /readyz", s.readyz)
	for _, c := range s.settings.Channels {
		c.Routes(s.mux, s.handleMessage)
	}
	if !s.settings.EnableAPI {
		return
	}
	s.mux.HandleFunc("GET /version", s.version)
	s.mux.Handle("GET /status", s.protected((*Server).status))
	s.mux.Handle("GET /domain", s.protected((*Server).domain))
	s.mux.Handle("POST /model/parse", s.protected((*Server).parse))
	s.mux.Handle("POST /model/predict", s.protected((*Server).predictEvents))
	s.mux.HandleFunc("PUT /model", s.replaceModel)
	s.mux.HandleFunc("DELETE /model", s.deleteModel)
	s.mux.HandleFunc("POST /model/test/intents", s.testIntents)
	s.mux.HandleFunc("POST /model/train", s.train)
	s.mux.Handle("POST /model/test/stories", s.protected((*Server).testStories))
}

// handleMessage is what channels give their messages to. Without a model there
// is nobody to answer, which is no error in Rasa.
func (s *Server) handleMessage(ctx context.Context, m channel.Message) error {
	a := s.settings.Host.Assistant()
	if a == nil {
		s.log.WarnContext(ctx, "message is ignored: no model is loaded", "conversation_id", m.SenderID, "channel", m.Channel)
		return nil
	}
	err := a.HandleMessage(ctx, m)
	if errors.Is(err, lockstore.ErrQueueFull) {
		return fmt.Errorf("%w: %w", channel.ErrBusy, err)
	}
	return err
}

// Handler returns everything: the routes and what stands before them.
func (s *Server) Handler() http.Handler {
	var h http.Handler = http.HandlerFunc(s.route)
	h = s.bounded(h)
	h = s.recovered(h)
	h = s.cors.wrap(h)
	if s.settings.Middleware != nil {
		h = s.settings.Middleware(h)
	}
	return h
}

// route finds the handler of a path. Rasa's framework does not care about a
// final slash, knows no HEAD, and answers OPTIONS on every path that it knows.
func (s *Server) route(w http.ResponseWriter, r *http.Request) {
	if s.settings.EnableAPI && strings.HasPrefix(r.URL.EscapedPath(), conversationsPrefix) {
		s.conversation(w, r)
		return
	}
	r = withoutFinalSlash(r)
	if path.Clean(r.URL.Path) != r.URL.Path { // the mux would redirect
		s.methodNotAllowed(w, r, nil)
		return
	}
	if _, pattern := s.mux.Handler(r); pattern == "" || r.Method == http.MethodHead {
		s.methodNotAllowed(w, r, s.allowed(r))
		return
	}
	s.mux.ServeHTTP(w, r)
}

func withoutFinalSlash(r *http.Request) *http.Request {
	if len(r.URL.Path) < 2 || !strings.HasSuffix(r.URL.Path, "/") {
		return r
	}
	url := *r.URL
	url.Path = strings.TrimSuffix(url.Path, "/")
	url.RawPath = strings.TrimSuffix(url.RawPath, "/")
	shorter := *r
	shorter.URL = &url
	return &shorter
}

// methodNotAllowed answers 404 if no method is allowed, and 405 otherwise.
func (s *Server) methodNotAllowed(w http.ResponseWriter, r *http.Request, allowed []string) {
	switch {
	case len(allowed) == 0:
		s.fail(w, r, http.StatusNotFound, fmt.Sprintf("Requested URL %s not found", r.URL.EscapedPath()))
	case r.Method == http.MethodOptions:
		w.WriteHeader(http.StatusOK)
	default:
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		s.fail(w, r, http.StatusMethodNotAllowed, fmt.Sprintf("Method %s not allowed for URL %s", r.Method, r.URL.EscapedPath()))
	}
}

// allowed lists the methods that a path knows.
func (s *Server) allowed(r *http.Request) []string {
	var methods []string
	probe := *r
	for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} {
		probe.Method = m
		if _, pattern := s.mux.Handler(&probe); pattern != "" {
			methods = append(methods, m)
		}
	}
	return methods
}

func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	httpio.Fail(w, r, status, message)
}

func stack() string { return string(debug.Stack()) }
