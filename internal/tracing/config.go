package tracing

import (
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/tracing/jaeger"
	"github.com/loquat-dev/loquat/internal/tracing/otlp"
	"github.com/loquat-dev/loquat/internal/tracing/record"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Codes of problems in the tracing and metrics sections of endpoints.yml.
const (
	codeType        diag.Code = "tracing-type"
	codeKey         diag.Code = "tracing-key"
	codeValue       diag.Code = "tracing-value"
	codeEndpoint    diag.Code = "tracing-endpoint"
	codeCertificate diag.Code = "tracing-certificate"
	codeSeveral     diag.Code = "tracing-several"
	codeNotBuilt    diag.Code = "not-built"
)

// Config says where spans go and what they may tell. The zero value is tracing
// switched off.
type Config struct {
	Exporters []ExporterConfig
	Console   bool // print each turn's tree to stderr (OTEL_TRACES_EXPORTER=console)

	Sampler        Sampler
	CaptureContent bool  // texts and slot values may be in spans
	Baggage        bool  // tell the action server which action, sender and message
	TrustIncoming  Trust // what a request's trace context counts for
	ExposeTraceID  bool  // answer requests with the identifier of their trace
	limits         batchLimits
	spanLimits     record.Limits
	propagators    []string
}

// ExporterConfig is one backend. Exactly one of OTLP, UDP and HTTP is set.
type ExporterConfig struct {
	ServiceName string
	Sync        bool // export each span as it ends
	OTLP        *otlp.Settings
	UDP         *jaeger.UDPSettings
	HTTP        *jaeger.HTTPSettings
}

// Trust says what the trace context of an incoming request counts for.
type Trust string

// The kinds of trust.
const (
	TrustYes  Trust = "true"  // the request's trace goes on
	TrustLink Trust = "link"  // a new trace with a link to the request's
	TrustNo   Trust = "false" // it is ignored
)

// Sampler is a sampler by its name in OTEL_TRACES_SAMPLER; "" is
// parentbased_always_on.
type Sampler struct {
	Type  string
	Ratio float64
}

// On reports whether anything is to be traced.
func (c Config) On() bool { return len(c.Exporters) > 0 || c.Console }

// ReadConfig reads the tracing section of an endpoints file, and the variables
// that stand in for what it leaves out. root is the file's map, or nil without a
// file; getenv is os.Getenv outside of tests. A broken configuration is
// reported and left out.
//
// An absent section leaves the decision to OTEL_TRACES_EXPORTER. An empty one
// is tracing switched off, whatever the environment says.
func ReadConfig(root *yamlfile.Node, getenv func(string) string, problems *diag.List) Config {
	r := configReader{env: environment{getenv, problems}, problems: problems}
	r.config = defaults(r.env)
	if metrics := root.Get("metrics"); !metrics.IsNull() {
		problems.Warnf(root.Key("metrics").Pos, codeNotBuilt, "spans can be sent with a tracing section; see docs/compatibility.md",
			"metrics are not built yet: nothing is measured")
	}
	if on, _ := parseBool(getenv("OTEL_SDK_DISABLED")); on {
		return Config{}
	}
	switch section := root.Get("tracing"); {
	case root.Has("tracing") && section.IsNull():
		return Config{}
	case root.Has("tracing"):
		r.readEntries(section)
	default:
		r.fromEnvironment()
	}
	if !r.config.On() {
		return Config{}
	}
	return r.config
}

// defaults is what counts when the file says nothing.
func defaults(env environment) Config {
	return Config{
		Baggage: true, TrustIncoming: TrustYes, Sampler: env.sampler(),
		limits: env.batchLimits(), spanLimits: env.spanLimits(), propagators: env.propagators(),
	}
}

type configReader struct {
	env      environment
	problems *diag.List
	config   Config
	decided  map[string]bool // settings shared by all entries that one has made
}

func (r *configReader) readEntries(n *yamlfile.Node) {
	entries := []*yamlfile.Node{n}
	if n.Kind == yamlfile.List {
		entries = n.Items
	}
	r.decided = map[string]bool{}
	for _, entry := range entries {
		if entry.Kind != yamlfile.Map {
			r.problems.Errorf(entry.Pos, codeValue, "for example: tracing: {type: otlp, endpoint: \"localhost:4317\"}",
				"tracing needs a map or a list of maps, not %s", entry.Kind)
			continue
		}
		r.readEntry(&section{name: "tracing", node: entry, problems: r.problems})
	}
	if len(r.config.Exporters) > 1 {
		r.problems.Warnf(n.Pos, codeSeveral, "Rasa accepts one; every span goes to all of them here",
			"tracing has %d backends", len(r.config.Exporters))
	}
}

func (r *configReader) readEntry(s *section) {
	kind := s.text("type")
	if store := s.text("store_type"); store != "" {
		kind = store // Rasa's endpoint object reads it first
	}
	switch kind {
	case "otlp":
		r.readOTLP(s)
	case "jaeger":
		r.readJaeger(s)
	case "langfuse":
		r.problems.Warnf(s.pos("type"), codeNotBuilt, "otlp and jaeger exist", "tracing: type langfuse is not built yet: nothing is sent there")
	case "":
		r.problems.Warnf(s.node.Pos, codeType, "otlp or jaeger", "tracing has no type: it stays off")
	default:
		r.problems.Warnf(s.pos("type"), codeType, firstOf(diag.DidYouMean(kind, []string{"otlp", "jaeger"}), "otlp or jaeger"), "tracing: type %q in %s is not known: it stays off", kind, s.node.Pos.File)
	}
}

// readShared reads the settings that every type has.
func (r *configReader) readShared(s *section) ExporterConfig {
	out := ExporterConfig{ServiceName: s.text("service_name")}
	if out.ServiceName == "" {
		out.ServiceName = r.env.serviceName()
	}
	if v := s.flag("sync_export"); v != nil {
		out.Sync = *v
	}
	if v := s.flag("capture_content"); r.decides(s, "capture_content") && v != nil {
		r.config.CaptureContent = *v
	}
	if v := s.flag("baggage"); r.decides(s, "baggage") && v != nil {
		r.config.Baggage = *v
	}
	if v := s.flag("expose_trace_id"); r.decides(s, "expose_trace_id") && v != nil {
		r.config.ExposeTraceID = *v
	}
	trust := s.oneOf("trust_incoming", string(TrustYes), string(TrustLink), string(TrustNo))
	if r.decides(s, "trust_incoming") && trust != "" {
		r.config.TrustIncoming = Trust(trust)
	}
	if sampler := s.sub("sampler"); r.decides(s, "sampler") && sampler != nil {
		r.config.Sampler = readSampler(sampler)
	}
	if v := s.flag("propagate_to_llm"); v != nil && *v {
		r.problems.Warnf(s.pos("propagate_to_llm"), codeNotBuilt, "", "tracing: propagate_to_llm has no effect: clients of language models are not built yet")
	}
	return out
}

// decides reports whether this entry is the first that sets key. A later one
// that sets it as well is told so.
func (r *configReader) decides(s *section, key string) bool {
	if s.node.Get(key).IsNull() {
		return false
	}
	if r.decided[key] {
		r.problems.Warnf(s.pos(key), codeSeveral, "", "tracing: %s counts for all backends and was set by an earlier one", key)
		return false
	}
	r.decided[key] = true
	return true
}

// samplers are those of OTEL_TRACES_SAMPLER that exist here.
var samplers = []string{"always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"}

func readSampler(s *section) Sampler {
	out := Sampler{Type: s.oneOf("type", samplers...), Ratio: s.number("ratio", 0, 1, 1)}
	if out.Type == "" && s.node.Has("ratio") {
		out.Type = "parentbased_traceidratio"
	}
	s.finish()
	return out
}

// fromEnvironment decides without a tracing section.
func (r *configReader) fromEnvironment() {
	empty := &yamlfile.Node{Kind: yamlfile.Map, Pos: diag.Position{File: "OTEL_TRACES_EXPORTER"}}
	for name := range strings.SplitSeq(r.env.get("OTEL_TRACES_EXPORTER"), ",") {
		switch name = strings.ToLower(strings.TrimSpace(name)); name {
		case "", "none":
		case "console":
			r.config.Console = true
		case "otlp":
			r.readOTLP(&section{name: "tracing", node: empty, problems: r.problems})
		default:
			r.problems.Warnf(empty.Pos, codeType, "otlp, console or none", "the exporter %q is not known: it stays off", name)
		}
	}
}

func seconds(n float64) time.Duration { return time.Duration(n * float64(time.Second)) }

func firstOf(values ...string) string {
	if i := slices.IndexFunc(values, func(v string) bool { return v != "" }); i >= 0 {
		return values[i]
	}
	return ""
}
