package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/action/actionrpc"
	"github.com/loquat-dev/loquat/internal/action/webhook"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/broker"
	"github.com/loquat-dev/loquat/internal/broker/filebroker"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/endpoint"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/nlg/remote"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
	"github.com/loquat-dev/loquat/internal/trackerstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/sqlstore"
)

// DefaultDatabase is where conversations are kept if endpoints.yml names no
// tracker store.
const DefaultDatabase = ".loquat/conversations.db"

// Assistant is a model with everything that it needs to talk.
type Assistant struct {
	*conversation.Processor // nil as long as there is no model
	parts                   *parts
	checks                  map[string]httpapi.Check
	closers                 []func(context.Context) error
	tracing                 *tracing.Tracing
	viewer                  *viewer.Viewer       // nil without --trace
	understands             *assistant.Assistant // the model as such; nil without one

	fingerprint *string // of the project that the first model was trained in
}

// Predicts reports whether the model chooses actions, or only understands.
func (a *Assistant) Predicts() bool { return a.Processor != nil && a.Predictor != nil }

// ShowTraces waits until the trees of all turns that have ended are printed.
func (a *Assistant) ShowTraces(ctx context.Context) error {
	if a.viewer == nil {
		return nil
	}
	return a.viewer.Flush(ctx)
}

// parts builds the concrete parts that endpoints.yml asks for. They outlive a
// model; a processor connects them with one.
type parts struct {
	options   ServeOptions
	endpoints *project.Endpoints
	tracing   *tracing.Tracing
	logger    *slog.Logger
	problems  diag.List
	out       *Assistant

	store     trackerstore.Store
	locks     *memlock.Store
	broker    broker.Broker // nil for none
	reminders *conversation.Reminders
	classes   tracing.Classes
	limit     int  // of actions in a turn
	existing  bool // conversations are read, so a store that has none is an error
}

// assemble builds the parts, and connects them with a model if there is one.
func (p *parts) assemble(ctx context.Context, model *assistant.Assistant) (*Assistant, error) {
	p.out = &Assistant{parts: p, checks: map[string]httpapi.Check{}, tracing: p.tracing}
	p.refuseUnbuilt()
	p.classes.LockStore = "InMemoryLockStore"
	var err error
	p.store, err = p.trackerStore(ctx, domainOf(model))
	p.note(err)
	p.broker, err = p.eventBroker()
	p.note(err)
	server, err := p.actionServer(domainOf(model))
	p.note(err)
	generator, err := p.generator(domainOf(model))
	p.note(err)
	p.limit, err = predictionLimit()
	p.note(err)
	p.locks = memlock.New(0)
	p.out.checks["lock_store"] = p.locks.Ready
	p.reminders = conversation.NewReminders(p.logger)
	if err := p.problems.Err(); err != nil {
		return nil, errors.Join(err, p.out.Close(ctx))
	}
	if model != nil {
		p.out.Processor = p.processor(model, server, generator)
		p.out.understands, p.out.fingerprint = model, model.ProjectFingerprint()
		p.reminders.Serve(p.out.Processor)
	}
	return p.out, nil
}

// domainOf is the domain of a model, or an empty one.
func domainOf(model *assistant.Assistant) *domain.Domain {
	if model != nil {
		return model.Domain()
	}
	d := &domain.Domain{}
	d.Complete()
	return d
}

// processor connects the parts with a model.
func (p *parts) processor(model *assistant.Assistant, server action.Server, generator nlg.Generator) *conversation.Processor {
	settings := conversation.Settings{
		Domain: model.Domain(), Interpreter: model, Store: p.store, Locks: p.locks, Broker: p.broker, Reminders: p.reminders, Logger: p.logger,
		Hook: p.tracing.Turns(p.classes), ModelID: model.ModelID(), ModelName: model.ModelFile(), AssistantID: model.AssistantID(),
		MaxPredictions: p.limit,
		Actions: &action.Runner{
			Domain: model.Domain(), NLG: generator, Server: server, Logger: p.logger,
		},
	}
	if model.Predicts() {
		settings.Predictor = model
	}
	return conversation.New(settings)
}

// note puts an error among the problems.
func (p *parts) note(err error) {
	if err == nil {
		return
	}
	found := diag.Of(err)
	if found == nil {
		found = []diag.Problem{{Pos: diag.Position{File: p.endpoints.File}, Code: "endpoint", Message: err.Error()}}
	}
	for _, problem := range found {
		if problem.Pos.IsZero() {
			problem.Pos.File = p.endpoints.File
		}
		p.problems.Add(problem)
	}
}

// refuseUnbuilt names the sections of endpoints.yml that ask for something that
// isn't built.
func (p *parts) refuseUnbuilt() {
	for section, what := range map[*project.Endpoint]string{
		p.endpoints.NLU: "a remote NLU server", p.endpoints.Models: "a model server",
	} {
		if section != nil {
			p.problems.Errorf(section.Pos, "not-built", "remove the section", "%s (%q) is not built yet", what, section.Name)
		}
	}
	if l := p.endpoints.LockStore; l != nil && l.Type != "" && l.Type != "in_memory" {
		p.unknownType(l, "in_memory")
	}
}

// unknownType reports a kind of endpoint that can't be had.
func (p *parts) unknownType(e *project.Endpoint, built ...string) {
	pos := e.TypePos
	if pos.IsZero() {
		pos = e.Pos
	}
	if project.IsPythonPath(e.Type) {
		p.problems.Errorf(pos, "python-class", "built are: "+strings.Join(built, ", "), "the %s %q is a Python class, which can't run here", e.Name, e.Type)
		return
	}
	p.problems.Errorf(pos, "not-built", "built are: "+strings.Join(built, ", "), "the %s of type %q is not built yet", e.Name, e.Type)
}

func (p *parts) trackerStore(ctx context.Context, d *domain.Domain) (trackerstore.Store, error) {
	e := p.endpoints.TrackerStore
	kind := "sql"
	if e != nil {
		kind = strings.ToLower(e.Type)
	} else if p.options.InMemory {
		kind = ""
	}
	switch kind {
	case "", "in_memory":
		if p.existing {
			return nil, diag.Problem{Pos: e.TypePos, Code: "bad-value", Message: "a tracker store in memory has no conversations of an earlier process", Hint: "name the database that has them: type: SQL"}
		}
		p.classes.TrackerStore = "InMemoryTrackerStore"
		return memstore.New(d), nil
	case "sql":
		config := sqlstore.DefaultConfig()
		if e == nil {
			config.DB = DefaultDatabase
		} else if err := sqlConfig(e, &config); err != nil {
			return nil, err
		}
		config.MustExist = p.existing
		store, err := sqlstore.Open(ctx, config, d)
		if err != nil {
			return nil, err
		}
		p.classes.TrackerStore = "SQLTrackerStore"
		p.out.checks["tracker_store"] = store.Ready
		p.onClose(func(context.Context) error { return store.Close() })
		return store, nil
	default:
		p.unknownType(e, "sql (SQLite)", "in_memory")
		return nil, nil
	}
}

// sqlConfig reads the keys of a tracker store of type SQL.
func sqlConfig(e *project.Endpoint, c *sqlstore.Config) error {
	var problems diag.List
	c.URL, c.Query = e.URL, map[string]string{}
	for _, param := range e.Other {
		text := param.Value.TextOrEmpty()
		switch param.Key.Text {
		case "dialect":
			c.Dialect = text
		case "db":
			c.DB = text
		case "username":
			c.Username = text
		case "password":
			c.Password = text
		case "login_db":
			c.LoginDB = text
		case "port":
			port, err := strconv.Atoi(text)
			if err != nil {
				problems.Errorf(param.Value.Pos, "wrong-type", "", "the port %q is not a number", text)
			}
			c.Port = port
		case "query":
			for _, pair := range param.Value.Pairs {
				c.Query[pair.Key.Text] = pair.Value.TextOrEmpty()
			}
		default:
			known := []string{"dialect", "db", "username", "password", "login_db", "port", "query", "url"}
			problems.Errorf(param.Key.Pos, "unknown-key", diag.DidYouMean(param.Key.Text, known), "a tracker store of type SQL has no key %q", param.Key.Text)
		}
	}
	return problems.Err()
}

func (p *parts) eventBroker() (broker.Broker, error) {
	e := p.endpoints.EventBroker
	if e == nil {
		return nil, nil
	}
	if strings.ToLower(e.Type) != "file" {
		p.unknownType(e, "file")
		return nil, nil
	}
	config := filebroker.DefaultConfig()
	for _, param := range e.Other {
		if param.Key.Text != "path" {
			return nil, diag.Problem{Pos: param.Key.Pos, Code: "unknown-key", Message: fmt.Sprintf("an event broker of type file has no key %q", param.Key.Text)}
		}
		config.Path = param.Value.TextOrEmpty()
	}
	b, err := filebroker.Open(config, p.logger)
	if err != nil {
		return nil, err
	}
	p.classes.Broker = "FileEventBroker"
	p.out.checks["event_broker"] = b.Ready
	p.onClose(b.Close)
	return b, nil
}

// actionServer makes the client of action_endpoint for a model with that domain;
// nil without one.
func (p *parts) actionServer(d *domain.Domain) (action.Server, error) {
	e := p.endpoints.Action
	if e == nil {
		return nil, nil
	}
	if module := e.Param("actions_module"); module != nil {
		return nil, diag.Problem{
			Pos: module.Pos, Code: "python-class", Message: "actions_module names Python code, which can't run here",
			Hint: "start an action server with it, python -m rasa_sdk --actions " + module.TextOrEmpty() + ", and set url",
		}
	}
	domainJSON, err := d.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("encode domain: %w", err)
	}
	if actionrpc.IsURL(e.URL) {
		return p.actionServerRPC(e, domainJSON)
	}
	settings := webhook.Settings{
		URL: e.URL, Params: texts(e.Params), Headers: texts(e.Headers), Username: e.Username, Password: e.Password,
		Token: e.Token, TokenName: e.TokenName, CAFile: e.CAFile, Compress: webhook.CompressFromEnv(),
	}
	if p.tracing != nil {
		settings.Wrap = p.tracing.ActionServer
	}
	if s := e.Param("enable_selective_domain"); s != nil {
		settings.SelectiveDomain = s.Flag
	}
	if s := e.Param("domain_digest"); s != nil {
		settings.DomainDigest = s.Flag
	}
	return webhook.New(settings, d, domainJSON)
}

// actionServerRPC makes the client of an action server that speaks gRPC. What is
// part of a URL or of HTTP has no place there, and is named.
func (p *parts) actionServerRPC(e *project.Endpoint, domainJSON []byte) (action.Server, error) {
	for key, set := range map[string]bool{"params": len(e.Params) > 0, "token": e.Token != ""} {
		if set {
			return nil, diag.Problem{
				Pos: e.Pos, Code: "invalid-endpoints", Message: fmt.Sprintf("an action server over gRPC takes no %s", key),
				Hint: "write it below headers:, which are sent as metadata",
			}
		}
	}
	client, err := actionrpc.New(actionrpc.Settings{
		URL: e.URL, Headers: texts(e.Headers), Username: e.Username, Password: e.Password, CAFile: e.CAFile,
		Intercept: p.tracing.ActionServerRPC(),
	}, domainJSON)
	if err != nil {
		return nil, err
	}
	p.onClose(func(context.Context) error { return client.Close() })
	return client, nil
}

func texts(m map[string]any) map[string]string {
	out := make(map[string]string, len(m))
	for k, v := range m {
		out[k] = fmt.Sprint(v)
	}
	return out
}

// generator makes what generates responses: the domain's, or a server.
func (p *parts) generator(d *domain.Domain) (nlg.Generator, error) {
	templates := nlg.NewTemplates(d, nil, p.logger)
	e := p.endpoints.NLG
	switch {
	case e == nil || e.Type == "response":
		return templates, nil
	case e.Type != "" && e.Type != "callback":
		p.problems.Errorf(e.TypePos, "not-built", "write url: for a server that generates responses, or remove the section for the domain's own",
			"responses of type %q are not built yet", e.Type)
		return templates, nil
	}
	for _, param := range e.Other {
		p.problems.Warnf(param.Key.Pos, "unknown-key", "", "nlg has no key %q; it is ignored", param.Key.Text)
	}
	return remote.New(endpoint.Settings{
		URL: e.URL, Params: texts(e.Params), Headers: texts(e.Headers), Username: e.Username, Password: e.Password,
		Token: e.Token, TokenName: e.TokenName, CAFile: e.CAFile, Wrap: p.tracing.Endpoint,
	}, d)
}

// predictionLimit reads MAX_NUMBER_OF_PREDICTIONS.
func predictionLimit() (int, error) {
	text := os.Getenv("MAX_NUMBER_OF_PREDICTIONS")
	if text == "" {
		return conversation.DefaultMaxPredictions, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return 0, fmt.Errorf("MAX_NUMBER_OF_PREDICTIONS: %q is not a number of actions", text)
	}
	return n, nil
}

func (p *parts) onClose(f func(context.Context) error) { p.out.closers = append(p.out.closers, f) }

// closeTime bounds what closing may take for each part.
const closeTime = 5 * time.Second

// Close delivers what is waiting and closes stores, brokers and tracing.
func (a *Assistant) Close(ctx context.Context) error {
	var errs []error
	if a.parts != nil && a.parts.reminders != nil {
		a.parts.reminders.Stop()
	}
	for i := len(a.closers) - 1; i >= 0; i-- {
		ctx, cancel := context.WithTimeout(ctx, closeTime)
		errs = append(errs, a.closers[i](ctx))
		cancel()
	}
	errs = append(errs, a.tracing.Shutdown(ctx))
	return errors.Join(errs...)
}

// middleware is what stands before all HTTP handlers.
func (a *Assistant) middleware() func(http.Handler) http.Handler {
	if a.tracing == nil {
		return nil
	}
	return a.tracing.Middleware
}
