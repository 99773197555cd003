package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/channel/rest"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/viewer"
)

// Open makes an assistant of a model and what endpoints.yml names. The caller
// closes it.
func Open(ctx context.Context, o ServeOptions) (*Assistant, error) { return openTraced(ctx, o, false) }

// openTraced opens an assistant; if there is no model, one without.
func openTraced(ctx context.Context, o ServeOptions, withoutModel bool) (*Assistant, error) {
	var view *viewer.Viewer
	if o.Trace {
		options := viewer.Options{}
		if f, ok := o.TraceOutput.(*os.File); ok {
			options = viewer.Detect(f)
		}
		view = viewer.New(o.TraceOutput, options)
	}
	t, err := startTracing(o.Endpoints, o.Logger, view)
	if err != nil {
		return nil, err
	}
	a, err := open(ctx, o, t, withoutModel)
	if err != nil {
		return nil, errors.Join(err, t.Shutdown(ctx))
	}
	a.viewer = view
	return a, nil
}

func open(ctx context.Context, o ServeOptions, t *tracing.Tracing, withoutModel bool) (*Assistant, error) {
	if o.RemoteStorage != "" {
		return nil, fmt.Errorf("--remote-storage %s is not built yet; fetch the model yourself and name it with --model", o.RemoteStorage)
	}
	logger := o.Logger
	if t != nil {
		logger = slog.New(t.LogHandler(logger.Handler()))
	}
	var loaded *assistant.Assistant
	m, err := findModel(o.Model)
	if err == nil {
		loaded, err = load(m, t, logger)
	} else if withoutModel && errors.Is(err, model.ErrNone) {
		logger.Warn("there is no model; routes that need one answer 409", "model", o.Model)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	p := &parts{options: o, tracing: t, logger: logger}
	p.endpoints = project.ReadEndpoints(o.Endpoints, o.Endpoints, &p.problems)
	return p.assemble(ctx, loaded)
}

func load(m *model.Model, t *tracing.Tracing, logger *slog.Logger) (*assistant.Assistant, error) {
	loaded, err := assistant.Load(m, graph.NewTypes(catalog(t)), t.Nodes(), logger)
	if err == nil {
		spareMemory()
	}
	return loaded, err
}

// Serve runs an assistant's channels, and its HTTP API if wanted, until ctx ends.
func Serve(ctx context.Context, o ServeOptions) (err error) {
	a, err := openTraced(ctx, o, o.EnableAPI)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()

	channels, err := readChannels(o)
	if err != nil {
		return err
	}
	h := newHost(a)
	server, err := newServer(o, a, h, channels)
	if err != nil {
		return err
	}
	if o.Telemetry != nil {
		o.Telemetry.Record(serverStarted(o, channelNames(channels), o.Telemetry.ProjectHash(a.fingerprint)))
	}
	listener, err := Listen(o.Interface, o.Port, o.TLS)
	if err != nil {
		return err
	}
	scheme := "http"
	if o.TLS.Certificate != "" {
		scheme = "https"
	}
	o.Logger.Info("the assistant is ready", "url", fmt.Sprintf("%s://%s", scheme, listener.Addr()), "model", modelOf(a), "api", o.EnableAPI)
	defer h.restoreReminders(ctx)()
	return server.Serve(ctx, listener, o.DrainTimeout)
}

func modelOf(a *Assistant) string {
	if a.Processor == nil {
		return "none"
	}
	return a.ModelName
}

func channelNames(channels []channel.Input) []string {
	var names []string
	for _, c := range channels {
		names = append(names, c.Name())
	}
	return names
}

func newServer(o ServeOptions, a *Assistant, h *host, channels []channel.Input) (*httpapi.Server, error) {
	settings := httpapi.Settings{
		Host: h, Channels: channels, EnableAPI: o.EnableAPI, AuthToken: orEnv(o.AuthToken, "AUTH_TOKEN"),
		JWT:  httpapi.JWT{Secret: orEnv(o.JWTSecret, "JWT_SECRET"), Method: orEnv(o.JWTMethod, "JWT_METHOD")},
		CORS: o.CORS, ResponseTimeout: time.Duration(o.ResponseTimeoutSeconds) * time.Second,
		Checks: a.checks, Middleware: a.middleware(), Log: o.Logger, Train: a.parts.trainRequest,
		Callbacks: a.tracing.Endpoint(http.DefaultTransport), Examine: examiner(h.model, o),
		CrossValidate: a.parts.crossValidateRequest, PlayStories: storyExaminer(h.model, o),
	}
	return httpapi.New(settings)
}

func orEnv(value, name string) string {
	if value != "" {
		return value
	}
	return os.Getenv(name)
}

// readChannels makes the channels of credentials.yml. Ones that aren't built are
// reported and left out, so that a project with several goes on serving.
func readChannels(o ServeOptions) ([]channel.Input, error) {
	var problems diag.List
	credentials := project.ReadCredentials(o.Credentials, o.Credentials, &problems)
	if o.Connector != "" { // what else the file names does not matter
		problems = diag.List{}
		credentials.Channels = []project.Channel{{Name: o.Connector, Pos: diag.Position{File: "--connector"}}}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	var channels []channel.Input
	for _, c := range credentials.Channels {
		switch {
		case c.Name == "rest":
			channels = append(channels, rest.New(o.Logger))
			if c.Settings != nil && len(c.Settings.Pairs) > 0 {
				problems.Warnf(c.Settings.Pos, "unknown-key", "leave them out", "the channel rest has no settings; these have no effect")
			}
		case o.Connector != "":
			return nil, fmt.Errorf("--connector: the channel %q is not built; built are: rest", c.Name)
		case project.IsPythonPath(c.Name):
			problems.Errorf(c.Pos, "python-class", "talk to the channel rest instead", "the channel %q is a Python class, which can't run here", c.Name)
		default:
			problems.Warnf(c.Pos, "not-built", "built are: rest", "the channel %q is not built yet and is left out", c.Name)
		}
	}
	for _, p := range problems.Warnings() {
		o.Logger.Warn(p.Error())
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	if len(channels) == 0 && len(credentials.Channels) > 0 && !o.EnableAPI {
		return nil, fmt.Errorf("none of the channels in %s is built; built are: rest", o.Credentials)
	}
	if len(channels) == 0 && !o.EnableAPI {
		channels = append(channels, rest.New(o.Logger)) // nothing is configured: the simplest channel
	}
	return channels, nil
}

// Listen waits for connections at an address and port; with a certificate, for
// encrypted ones.
func Listen(host string, port int, files TLSFiles) (net.Listener, error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	if files.Certificate == "" {
		return l, nil
	}
	config, err := files.config()
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return tls.NewListener(l, config), nil
}

// config reads the files of HTTPS.
func (f TLSFiles) config() (*tls.Config, error) {
	if f.Password != "" {
		return nil, errors.New("--ssl-password: keys with a password are not built yet; decrypt it: openssl pkey -in key.pem -out plain.pem")
	}
	key := f.Key
	if key == "" {
		key = f.Certificate
	}
	certificate, err := tls.LoadX509KeyPair(f.Certificate, key)
	if err != nil {
		return nil, fmt.Errorf("--ssl-certificate: %w", err)
	}
	c := &tls.Config{Certificates: []tls.Certificate{certificate}, MinVersion: tls.VersionTLS12}
	if f.CA != "" {
		pem, err := os.ReadFile(f.CA)
		if err != nil {
			return nil, fmt.Errorf("--ssl-ca-file: %w", err)
		}
		c.ClientCAs = x509.NewCertPool()
		if !c.ClientCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--ssl-ca-file: %s holds no certificate in PEM", f.CA)
		}
	}
	return c, nil
}

// Parser is a model that understands messages, without the rest.
type Parser struct{ model *assistant.Assistant }

// OpenParser loads a model for its NLU alone.
func OpenParser(_ context.Context, o ServeOptions) (*Parser, error) {
	m, err := findModel(o.Model)
	if err != nil {
		return nil, err
	}
	loaded, err := load(m, nil, o.Logger)
	if err != nil {
		return nil, err
	}
	return &Parser{loaded}, nil
}

// Parse is what the model makes of a text, as POST /model/parse answers it.
func (p *Parser) Parse(ctx context.Context, text string) (json.RawMessage, error) {
	m := &nlu.Message{TimeMilli: time.Now().UnixMilli()}
	m.Values[nlu.Text] = text
	if err := p.model.Parse(ctx, m); err != nil {
		return nil, err
	}
	return m.MarshalJSON()
}
