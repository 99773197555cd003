package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/httpapi"
)

// host lets the model of a running server be exchanged. What is not part of the
// model stays: tracker store, locks, broker and scheduled reminders, so turns of
// the earlier model that are still running and those of the new one never write
// to one conversation at the same time.
type host struct {
	parts   *parts
	loading sync.Mutex              // one model is loaded at a time
	current atomic.Pointer[serving] // nil without a model
}

// serving is a model and what talks with it.
type serving struct {
	*conversation.Processor
	model *assistant.Assistant
}

// newHost serves with the assistant's model, or with none yet.
func newHost(a *Assistant) *host {
	h := &host{parts: a.parts}
	if a.Processor != nil {
		h.current.Store(&serving{a.Processor, a.understands})
	}
	return h
}

// Assistant implements httpapi.Host.
func (h *host) Assistant() httpapi.Assistant {
	if s := h.current.Load(); s != nil { // an interface must not hold a nil pointer
		return s.Processor
	}
	return nil
}

// model is the one that serves, or nil.
func (h *host) model() *assistant.Assistant {
	if s := h.current.Load(); s != nil {
		return s.model
	}
	return nil
}

// Load implements httpapi.Host.
func (h *host) Load(ctx context.Context, name string) error {
	h.loading.Lock()
	defer h.loading.Unlock()
	m, err := findModel(name)
	if err != nil {
		return err
	}
	loaded, err := load(m, h.parts.tracing, h.parts.logger)
	if err != nil {
		return err
	}
	server, err1 := h.parts.actionServer(loaded.Domain())
	generator, err2 := h.parts.generator(loaded.Domain())
	if err := errors.Join(err1, err2); err != nil {
		return fmt.Errorf("serve model %s: %w", loaded.ModelFile(), err)
	}
	p := h.parts.processor(loaded, server, generator)
	h.parts.store.UseDomain(loaded.Domain())
	h.current.Store(&serving{p, loaded})
	h.parts.reminders.Serve(p)
	h.parts.logger.InfoContext(ctx, "another model serves now", "model", loaded.ModelFile(), "model_id", loaded.ModelID())
	return nil
}

// Unload implements httpapi.Host. Reminders wait for the next model.
func (h *host) Unload() {
	h.loading.Lock()
	defer h.loading.Unlock()
	h.parts.reminders.Serve(nil)
	h.current.Store(nil)
}

// restoreReminders schedules, beside the requests that come in already, what an
// earlier process has left. The returned function breaks that off and waits.
func (h *host) restoreReminders(ctx context.Context) (stop func()) {
	s := h.current.Load()
	if s == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := s.RestoreReminders(ctx); err != nil && ctx.Err() == nil {
			h.parts.logger.Error("not all reminders are scheduled again", "err", err)
		}
	})
	return func() { cancel(); wait.Wait() }
}
