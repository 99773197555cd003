package actionsdk

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"
)

// Func is an action. It may be called by several goroutines at once. The context
// ends when the assistant gives up waiting.
type Func func(ctx context.Context, out *Dispatcher, t *Tracker) ([]Event, error)

// Server runs actions by name. The zero value is ready to use; its fields and
// actions are set before it serves. It is safe for concurrent use from then on.
type Server struct {
	// Logger gets what goes wrong; slog.Default() if nil.
	Logger *slog.Logger
	// MaxBody is how many bytes a request may have, after decompression; 64 MiB if 0.
	MaxBody int64
	// MaxParallel is how many actions run at a time, others wait; 256 if 0.
	MaxParallel int
	// Grace is how long running actions may take when the server stops; 10 s if 0.
	Grace time.Duration
	// TLS makes the server speak HTTPS.
	TLS *tls.Config
	// CORS lists origins whose pages may call the server; "*" allows all.
	CORS []string
	// Observer watches what happens; nil for none.
	Observer Observer

	names   []string
	actions map[string]Func
	domains domainCache
	slots   chan struct{} // one for each running action
	once    sync.Once
}

// Action registers an action. It panics when the name is empty or taken.
func (s *Server) Action(name string, f Func) {
	if name == "" || f == nil {
		panic("actionsdk: an action needs a name and a function")
	}
	if _, taken := s.actions[name]; taken {
		panic(fmt.Sprintf("actionsdk: action %q is registered twice", name))
	}
	if s.actions == nil {
		s.actions = map[string]Func{}
	}
	s.actions[name] = f
	s.names = append(s.names, name)
}

// Form registers the validation of a form, as the action validate_<form>.
func (s *Server) Form(form string, v Validation) {
	name := "validate_" + form
	v.check(name)
	s.Action(name, s.validation(name, form, v))
}

// Slots registers the validation of slots outside of forms, as the action
// action_validate_slot_mappings.
func (s *Server) Slots(v Validation) {
	v.check(slotsAction)
	s.Action(slotsAction, s.validation(slotsAction, "", v))
}

// Actions returns the names of all actions in the order they were registered.
func (s *Server) Actions() []string { return slices.Clone(s.names) }

// Call asks for one run of an action.
type Call struct {
	Action   string
	SenderID string
	Tracker  *Tracker // nil is an empty conversation
	Domain   *Domain  // nil if it was not sent
	// DomainDigest stands for a domain that was sent before; "" if the assistant
	// doesn't work that way.
	DomainDigest string
	Version      string // of the assistant's software
}

// Reply is what an action did.
type Reply struct {
	Events    []Event
	Responses []Utterance
}

// RejectedError is an action's refusal to run, see [Reject].
type RejectedError struct {
	Action string
	Reason string
}

// Error gives the reason.
func (e *RejectedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("action %q rejected its execution", e.Action)
	}
	return e.Reason
}

// Reject is what an action returns to refuse to run in this situation. The
// assistant predicts another action then.
func Reject(reason string) error { return &RejectedError{Reason: reason} }

// UnknownActionError says that no action of that name is registered.
type UnknownActionError struct{ Action string }

// Error has the wording of rasa-sdk.
func (e *UnknownActionError) Error() string {
	return fmt.Sprintf("No registered action found for name '%s'.", e.Action)
}

// ErrDomainMissing says that the digest of a call stands for no domain that this
// server has; the assistant calls again and sends it.
var ErrDomainMissing = errors.New("the domain of this digest is not known here")

// Run runs one action, as a request does. Errors are a *RejectedError, an
// *UnknownActionError, ErrDomainMissing, or whatever the action failed with; a
// panic is an error.
func (s *Server) Run(ctx context.Context, c Call) (*Reply, error) {
	action, ok := s.actions[c.Action]
	if !ok {
		return nil, &UnknownActionError{c.Action}
	}
	domain, ok := s.domains.resolve(c.DomainDigest, c.Domain)
	if !ok {
		return nil, ErrDomainMissing
	}
	t := c.Tracker
	if t == nil {
		t = &Tracker{SenderID: c.SenderID}
	}
	if t.Slots == nil {
		t.Slots = map[string]any{}
	}
	t.domain = domain
	if err := s.acquire(ctx); err != nil {
		return nil, err
	}
	defer func() { <-s.slots }()
	var reply *Reply
	step := &Step{Name: StepRun, Action: c.Action, Tracker: t}
	err := s.step(ctx, step, func(ctx context.Context) error {
		out := &Dispatcher{}
		events, err := s.protected(ctx, c.Action, action, out, t)
		if err != nil {
			return err
		}
		reply = &Reply{Events: slices.DeleteFunc(events, func(e Event) bool { return e == nil }), Responses: out.said}
		return s.step(ctx, &Step{Name: StepRespond, Action: c.Action, Tracker: t, Events: reply.Events, Responses: reply.Responses}, func(context.Context) error { return nil })
	})
	if err != nil {
		return nil, err
	}
	return reply, nil
}

// protected runs an action and makes errors of panics.
func (s *Server) protected(ctx context.Context, name string, action Func, out *Dispatcher, t *Tracker) (events []Event, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.logger().ErrorContext(ctx, "action panicked", "action", name, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("action %q panicked: %v", name, p)
		}
	}()
	events, err = action(ctx, out, t)
	if rejected, ok := errors.AsType[*RejectedError](err); ok && rejected.Action == "" {
		return nil, &RejectedError{Action: name, Reason: rejected.Reason}
	}
	return events, err
}

func (s *Server) acquire(ctx context.Context) error {
	s.once.Do(func() {
		n := s.MaxParallel
		if n <= 0 {
			n = 256
		}
		s.slots = make(chan struct{}, n)
	})
	select {
	case s.slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Server) logger() *slog.Logger {
	if s.Logger == nil {
		return slog.Default()
	}
	return s.Logger
}

// domainCache keeps the latest domains that came with a digest.
type domainCache struct {
	mu    sync.Mutex
	known map[string]*Domain
	order []string
}

// maxDomains is how many assistants may take turns without sending theirs again.
const maxDomains = 8

// resolve returns the domain of a call. An assistant that sends no digest, as
// Rasa 3.6, may leave the domain out; then there is none.
func (c *domainCache) resolve(digest string, given *Domain) (*Domain, bool) {
	if digest == "" {
		return given, true
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.known[digest]
	if ok || given == nil {
		return known, ok
	}
	if c.known == nil {
		c.known = map[string]*Domain{}
	}
	if len(c.order) == maxDomains {
		delete(c.known, c.order[0])
		c.order = c.order[1:]
	}
	c.known[digest] = given
	c.order = append(c.order, digest)
	return given, true
}
