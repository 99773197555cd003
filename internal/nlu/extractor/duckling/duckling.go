// Package duckling is Rasa's DucklingEntityExtractor: times, numbers, amounts of
// money and the like, found by a Duckling server.
//
// A message is never lost over it. Whatever goes wrong between here and the
// server is logged, and the message goes on without these entities.
package duckling

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Config is what config.yml may set for DucklingEntityExtractor.
type Config struct {
	URL        *string  `json:"url"`        // of the server; RASA_DUCKLING_HTTP_URL wins
	Dimensions []string `json:"dimensions"` // kinds of entities to keep; none: all
	Locale     *string  `json:"locale"`     // such as en_GB
	Timezone   *string  `json:"timezone"`   // such as Europe/Berlin
	Timeout    *float64 `json:"timeout"`    // seconds for the whole answer; nil: maxTimeout
}

// Settings are what our own code hands over.
type Settings struct {
	// Wrap decorates the transport, for tracing; nil leaves it as it is.
	Wrap func(http.RoundTripper) http.RoundTripper
}

const (
	name     = "DucklingEntityExtractor"
	variable = "RASA_DUCKLING_HTTP_URL"

	maxTimeout = 300 * time.Second
	maxText    = 100_000 // code points; a server takes minutes for more
)

// Type describes the component.
func Type(s Settings) graph.Type {
	t := graph.Type{
		Name:      name,
		ClassPath: "rasa.nlu.extractors.duckling_entity_extractor.DucklingEntityExtractor",
		Kinds:     []graph.Kind{graph.EntityExtractor},
		Version:   1,
		Check:     check,
		Fns:       nlu.Fns(),
	}
	seconds := 3.0
	return graph.Define(t, Config{Timeout: &seconds}, func(env graph.Env, c Config, _ graph.Resource) (any, error) {
		return newExtractor(env, c, s)
	})
}

func check(c graph.Config) []error {
	var config Config
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	var errs []error
	if config.URL != nil && *config.URL != "" {
		if _, err := target(*config.URL); err != nil {
			errs = append(errs, fmt.Errorf("url: %w", err))
		}
	}
	if t := config.Timeout; t != nil && *t <= 0 {
		errs = append(errs, fmt.Errorf("timeout: %v seconds leave no time for an answer", *t))
	}
	return errs
}

// target gives the URL of a server's parse route.
func target(server string) (string, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", fmt.Errorf("%q is not the URL of an HTTP server", server)
	}
	return u.JoinPath("parse").String(), nil
}

// Extractor finds entities. It is safe for concurrent use.
type Extractor struct {
	config Config
	url    string // of the parse route; "" without a server
	http   *http.Client
	logger *slog.Logger
}

func newExtractor(env graph.Env, c Config, s Settings) (*Extractor, error) {
	e := &Extractor{config: c, logger: env.Logger}
	server := os.Getenv(variable)
	if server == "" && c.URL != nil {
		server = *c.URL
	}
	if server == "" {
		e.logger.Warn("there is no url for the Duckling server, nor is "+variable+" set: no entities will be extracted", "component", name)
		return e, nil
	}
	var err error
	if e.url, err = target(server); err != nil {
		return nil, fmt.Errorf("the Duckling server: %w", err)
	}
	timeout := maxTimeout
	if c.Timeout != nil && *c.Timeout < maxTimeout.Seconds() {
		timeout = max(time.Duration(*c.Timeout*float64(time.Second)), 1) // 0 would be none
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 64
	e.http = &http.Client{Transport: transport, Timeout: timeout, CheckRedirect: sameHost}
	if s.Wrap != nil {
		e.http.Transport = s.Wrap(transport)
	}
	return e, nil
}

// sameHost follows redirects on one host only: requests hold what users said.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if first := via[0].URL; r.URL.Host != first.Host || r.URL.Scheme != first.Scheme {
		return fmt.Errorf("it redirects to another host, %s://%s", r.URL.Scheme, r.URL.Host)
	}
	return nil
}

// Process adds what the server finds in each message. Its only error is that ctx
// is done.
func (e *Extractor) Process(ctx context.Context, messages []*nlu.Message) error {
	if e.url == "" {
		return nil
	}
	for _, m := range messages {
		entities, err := e.extract(ctx, m)
		if done := ctx.Err(); done != nil {
			return done
		}
		if err != nil {
			e.logger.ErrorContext(ctx, "the Duckling server was of no use: the message goes on without its entities",
				"component", name, "err", err)
		}
		m.Entities = append(m.Entities, entities...)
	}
	return nil
}

func (e *Extractor) extract(ctx context.Context, m *nlu.Message) ([]nlu.Entity, error) {
	text := nlu.CleanText(m.Values[nlu.Text])
	length := utf8.RuneCountInString(text)
	if length > maxText {
		return nil, fmt.Errorf("a text of %d characters is not sent, at most %d are", length, maxText)
	}
	body, err := e.ask(ctx, text, m.TimeMilli)
	if err != nil {
		return nil, err
	}
	found, err := readAnswer(body)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	return e.entities(found, length)
}

// entities are the matches of the wanted dimensions. Matches that point outside
// of the text are left out, and are an error.
func (e *Extractor) entities(found []match, length int) (out []nlu.Entity, err error) {
	for _, f := range found {
		if len(e.config.Dimensions) > 0 && !f.in(e.config.Dimensions) {
			continue
		}
		if f.start < 0 || f.end < f.start || f.end > length {
			err = fmt.Errorf("answer: a %s from %d to %d is outside of the text, which has %d characters", f.dimension, f.start, f.end, length)
			continue
		}
		out = append(out, nlu.Entity{
			Entity: f.dimension, Start: f.start, End: f.end, Value: f.result(), Extractor: name,
			Extra: map[string]any{"text": f.body, "confidence": 1.0, "additional_info": f.value},
		})
	}
	return out, err
}

// withoutURL takes the URL, which may hold a password, out of an error.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// place is the server's address for messages: scheme, host and port.
func (e *Extractor) place() string {
	scheme, rest, _ := strings.Cut(e.url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host[strings.LastIndex(host, "@")+1:]
}
