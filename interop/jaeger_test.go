package interop_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
)

// jaegerAnswer is OTLP in JSON, as Jaeger's API v3 gives it.
type jaegerAnswer struct {
	Result struct {
		ResourceSpans []struct {
			Resource struct {
				Attributes []jaegerAttribute `json:"attributes"`
			} `json:"resource"`
			ScopeSpans []struct {
				Spans []jaegerSpan `json:"spans"`
			} `json:"scopeSpans"`
		} `json:"resourceSpans"`
	} `json:"result"`
}

type jaegerSpan struct {
	TraceID      string            `json:"traceId"`
	SpanID       string            `json:"spanId"`
	ParentSpanID string            `json:"parentSpanId"`
	Name         string            `json:"name"`
	Kind         int               `json:"kind"`
	Start        string            `json:"startTimeUnixNano"`
	Attributes   []jaegerAttribute `json:"attributes"`
	Events       []struct {
		Name string `json:"name"`
	} `json:"events"`
	Status struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"status"`
}

type jaegerAttribute struct {
	Key   string `json:"key"`
	Value struct {
		String *string  `json:"stringValue"`
		Int    *string  `json:"intValue"`
		Bool   *bool    `json:"boolValue"`
		Double *float64 `json:"doubleValue"`
		Array  *struct {
			Values []struct {
				String string `json:"stringValue"`
			} `json:"values"`
		} `json:"arrayValue"`
	} `json:"value"`
}

// ask reads from Jaeger's API. A trace that is not there yet has no spans.
func ask(t testing.TB, path string) []tracetree.Span {
	t.Helper()
	response, err := client.Get(setting(t, "LOQUAT_TEST_JAEGER") + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode == http.StatusNotFound {
		return nil
	}
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", response.Status, data)
	}
	var spans []tracetree.Span
	for decoder := json.NewDecoder(strings.NewReader(string(data))); ; { // one value for each trace
		var answer jaegerAnswer
		if err := decoder.Decode(&answer); err == io.EOF {
			return spans
		} else if err != nil {
			t.Fatalf("%v: %s", err, data)
		}
		for _, rs := range answer.Result.ResourceSpans {
			service := ""
			for _, a := range rs.Resource.Attributes {
				if a.Key == "service.name" && a.Value.String != nil {
					service = *a.Value.String
				}
			}
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					spans = append(spans, s.convert(service))
				}
			}
		}
	}
}

var kinds = []string{"unspecified", "internal", "server", "client", "producer", "consumer"}

func (s jaegerSpan) convert(service string) tracetree.Span {
	nanos, _ := strconv.ParseInt(s.Start, 10, 64)
	out := tracetree.Span{
		ID: s.SpanID, Parent: s.ParentSpanID, Name: s.Name, Kind: kinds[s.Kind], Service: service,
		Start: time.Unix(0, nanos), Failed: s.Status.Code == 2, Status: s.Status.Message,
	}
	if out.Kind == "unspecified" { // what Jaeger makes of an internal span in Thrift
		out.Kind = "internal"
	}
	for _, a := range s.Attributes {
		if !foreign(a.Key) {
			out.Attributes = append(out.Attributes, a.convert())
		}
	}
	for _, e := range s.Events {
		out.Events = append(out.Events, e.Name)
	}
	return out
}

// foreign are the attributes that are no part of a span: Jaeger's own remarks,
// and of a span that came as Thrift the scope, which OTLP keeps beside the spans,
// and what Python's exporter copies from the resource.
func foreign(key string) bool {
	return strings.HasPrefix(key, "@jaeger@") || strings.HasPrefix(key, "otel.scope.") || strings.HasPrefix(key, "otel.library.") ||
		strings.HasPrefix(key, "telemetry.sdk.") || key == "service.name"
}

func (a jaegerAttribute) convert() tracetree.Attribute {
	switch v := a.Value; {
	case v.Int != nil:
		return tracetree.Attribute{Key: a.Key, Type: "int", Value: *v.Int}
	case v.Bool != nil:
		return tracetree.Attribute{Key: a.Key, Type: "bool", Value: strconv.FormatBool(*v.Bool)}
	case v.Double != nil:
		return tracetree.Attribute{Key: a.Key, Type: "double", Value: strconv.FormatFloat(*v.Double, 'g', -1, 64)}
	case v.Array != nil:
		list := []string{}
		for _, item := range v.Array.Values {
			list = append(list, item.String)
		}
		text, _ := json.Marshal(list)
		return tracetree.Attribute{Key: a.Key, Type: "list", Value: string(text)}
	case v.String != nil:
		return tracetree.Attribute{Key: a.Key, Type: "string", Value: *v.String}
	default:
		return tracetree.Attribute{Key: a.Key, Type: "string"}
	}
}

func trace(t testing.TB, id string) []tracetree.Span {
	t.Helper()
	return ask(t, "/api/v3/traces/"+id)
}

// ofService finds the traces of a service in the last hour.
func ofService(t testing.TB, service string) []tracetree.Span {
	t.Helper()
	now := time.Now().UTC()
	q := url.Values{
		"query.service_name":   {service},
		"query.start_time_min": {now.Add(-time.Hour).Format(time.RFC3339Nano)},
		"query.start_time_max": {now.Add(time.Minute).Format(time.RFC3339Nano)},
		"query.num_traces":     {"2000"},
	}
	return ask(t, "/api/v3/traces?"+q.Encode())
}

// traceparent makes the header of a new trace and returns its identifier too.
func traceparent() (header, id string) {
	id = fmt.Sprintf("%016x%016x", time.Now().UnixNano(), traceCount)
	traceCount++
	return "00-" + id + "-00f067aa0ba902b7-01", id
}

var traceCount = 1

// want polls until the spans, formatted, equal the expected file.
func want(t *testing.T, name string, spans func() []tracetree.Span) {
	t.Helper()
	file := filepath.Join(sharedtest.ModuleRoot(t), "testdata", "traces", name+".tree")
	if *update {
		settle(spans)
		if err := os.WriteFile(file, []byte(tracetree.Format(spans())), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	expected, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if got = tracetree.Format(spans()); got == string(expected) {
			return
		}
	}
	t.Errorf("%s differs (-want +got):\n%s", name, cmp.Diff(string(expected), got))
}

// settle waits until no more spans come.
func settle(spans func() []tracetree.Span) int {
	last, since := -1, time.Now()
	for time.Since(since) < 2*time.Second {
		if n := len(spans()); n != last || n == 0 && time.Since(since) < 15*time.Second {
			if n != last {
				since = time.Now()
			}
			last = n
		}
		time.Sleep(100 * time.Millisecond)
	}
	return last
}

// without leaves out the spans of the given service.
func without(service string, spans []tracetree.Span) []tracetree.Span {
	var out []tracetree.Span
	for _, s := range spans {
		if s.Service != service {
			out = append(out, s)
		}
	}
	return out
}
