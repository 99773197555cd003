package tracing

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracing/otlp"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// defaultService is the service name when nobody gave one, as in Rasa.
const defaultService = "rasa"

// environment reads the variables that fill what the endpoints file leaves out.
// A value that makes no sense is reported and counts as unset.
type environment struct {
	getenv   func(string) string
	problems *diag.List
}

func (e environment) get(name string) string { return strings.TrimSpace(e.getenv(name)) }

func (e environment) wrong(name, value, want string) {
	e.problems.Warnf(diag.Position{File: name}, codeValue, "", "%q is not %s: the default counts", value, want)
}

func (e environment) serviceName() string {
	return firstOf(e.get("TRACING_SERVICE_NAME"), e.get("OTEL_SERVICE_NAME"), defaultService)
}

// otlp reads a variable of the OTLP exporter, the one for traces first.
func (e environment) otlp(name string) string {
	return firstOf(e.get("OTEL_EXPORTER_OTLP_TRACES_"+name), e.get("OTEL_EXPORTER_OTLP_"+name))
}

// otlpEndpoint gives the address of traces as it stands, or the one for all
// signals, to whose path that of traces belongs.
func (e environment) otlpEndpoint() string {
	if v := e.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"); v != "" {
		return v
	}
	base := e.get("OTEL_EXPORTER_OTLP_ENDPOINT")
	if u, err := url.Parse(base); err == nil && strings.Trim(u.Path, "/") != "" && u.Host != "" {
		return u.JoinPath("v1", "traces").String()
	}
	return base
}

func (e environment) otlpProtocol() string {
	v := strings.ToLower(e.otlp("PROTOCOL"))
	switch otlp.Protocol(v) {
	case "", otlp.GRPC, otlp.HTTP, otlp.HTTPJSON:
		return v
	}
	e.wrong("OTEL_EXPORTER_OTLP_PROTOCOL", v, "grpc, http/protobuf or http/json")
	return ""
}

func (e environment) otlpInsecure() *bool {
	v := e.otlp("INSECURE")
	if v == "" {
		return nil
	}
	on, ok := parseBool(v)
	if !ok {
		e.wrong("OTEL_EXPORTER_OTLP_INSECURE", v, "true or false")
		return nil
	}
	return &on
}

// otlpHeaders reads "name=value,name=value" with percent-encoded values.
func (e environment) otlpHeaders() map[string]string {
	out := map[string]string{}
	for pair := range strings.SplitSeq(e.otlp("HEADERS"), ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, ok := strings.Cut(pair, "=")
		decoded, err := url.PathUnescape(strings.TrimSpace(value))
		if name = strings.ToLower(strings.TrimSpace(name)); !ok || err != nil || name == "" {
			e.wrong("OTEL_EXPORTER_OTLP_HEADERS", pair, "name=value")
			continue
		}
		out[name] = decoded
	}
	return out
}

func (e environment) otlpTimeout() time.Duration {
	v := e.otlp("TIMEOUT")
	if v == "" {
		return otlp.DefaultTimeout
	}
	ms, err := strconv.Atoi(v)
	if err != nil || ms <= 0 {
		e.wrong("OTEL_EXPORTER_OTLP_TIMEOUT", v, "a number of milliseconds")
		return otlp.DefaultTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

func (e environment) seconds(name string, fallback time.Duration) time.Duration {
	v := e.get(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n <= 0 {
		e.wrong(name, v, "a number of seconds")
		return fallback
	}
	return seconds(n)
}

func (e environment) count(name string, fallback int) int {
	v := e.get(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n <= 0 {
		e.wrong(name, v, "a whole number above 0")
		return fallback
	}
	return n
}

// batchLimits reads the settings of the batch processor, with its defaults.
func (e environment) batchLimits() batchLimits {
	l := batchLimits{
		Queue:   e.count("OTEL_BSP_MAX_QUEUE_SIZE", 2048),
		Batch:   e.count("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
		Delay:   time.Duration(e.count("OTEL_BSP_SCHEDULE_DELAY", 5000)) * time.Millisecond,
		Timeout: time.Duration(e.count("OTEL_BSP_EXPORT_TIMEOUT", 30000)) * time.Millisecond,
	}
	l.Batch = min(l.Batch, l.Queue)
	return l
}

// spanLimits reads how much one span may hold.
func (e environment) spanLimits() record.Limits {
	l := record.DefaultLimits
	l.Attributes = e.count("OTEL_ATTRIBUTE_COUNT_LIMIT", l.Attributes)
	l.Attributes = e.count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", l.Attributes)
	l.Events = e.count("OTEL_SPAN_EVENT_COUNT_LIMIT", l.Events)
	l.ValueLength = e.count("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", l.ValueLength)
	l.ValueLength = e.count("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", l.ValueLength)
	return l
}

// sampler reads OTEL_TRACES_SAMPLER and its argument.
func (e environment) sampler() Sampler {
	s := Sampler{Type: strings.ToLower(e.get("OTEL_TRACES_SAMPLER")), Ratio: 1}
	if s.Type != "" && !slices.Contains(samplers, s.Type) {
		e.wrong("OTEL_TRACES_SAMPLER", s.Type, "one of "+strings.Join(samplers, ", "))
		return Sampler{}
	}
	if arg := e.get("OTEL_TRACES_SAMPLER_ARG"); arg != "" && strings.HasSuffix(s.Type, "ratio") {
		ratio, err := strconv.ParseFloat(arg, 64)
		if err != nil || ratio < 0 || ratio > 1 {
			e.wrong("OTEL_TRACES_SAMPLER_ARG", arg, "a number from 0 to 1")
			return s
		}
		s.Ratio = ratio
	}
	return s
}

// propagators reads which headers carry a trace context.
func (e environment) propagators() []string {
	value := e.get("OTEL_PROPAGATORS")
	if value == "" {
		return []string{"tracecontext", "baggage"}
	}
	var out []string
	for name := range strings.SplitSeq(value, ",") {
		switch name = strings.TrimSpace(name); name {
		case "tracecontext", "baggage":
			out = append(out, name)
		case "none", "":
		default:
			e.problems.Warnf(diag.Position{File: "OTEL_PROPAGATORS"}, codeNotBuilt, "tracecontext, baggage or none", "the propagator %q is not built", name)
		}
	}
	return out
}

func parseBool(text string) (value, ok bool) {
	switch strings.ToLower(strings.TrimSpace(text)) {
	case "true", "1", "yes", "on":
		return true, true
	case "false", "0", "no", "off":
		return false, true
	}
	return false, false
}

func asNumber(n *yamlfile.Node) (float64, bool) {
	switch n.Kind {
	case yamlfile.Int, yamlfile.Float:
		return n.Float(), true
	case yamlfile.String:
		v, err := strconv.ParseFloat(strings.TrimSpace(n.Text), 64)
		return v, err == nil
	}
	return 0, false
}
