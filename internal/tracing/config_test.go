package tracing_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/tracing"
	"github.com/loquat-dev/loquat/internal/tracing/tlstest"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// read returns one line for each exporter and the problems.
func read(endpoints string, env map[string]string) (tracing.Config, string) {
	var problems diag.List
	root := yamlfile.Parse([]byte(endpoints), "endpoints.yml", &problems)
	config := tracing.ReadConfig(root, func(name string) string { return env[name] }, &problems)
	var b strings.Builder
	if !config.On() {
		b.WriteString("off\n")
	}
	if config.Console {
		b.WriteString("to the terminal\n")
	}
	for _, e := range config.Exporters {
		switch {
		case e.OTLP != nil:
			security := "in the clear"
			if e.OTLP.TLS != nil {
				security = "TLS"
			}
			fmt.Fprintf(&b, "otlp %s %s %s", firstWord(string(e.OTLP.Protocol), "auto"), e.OTLP.Endpoint, security)
			for _, k := range slices.Sorted(maps.Keys(e.OTLP.Headers)) {
				fmt.Fprintf(&b, " %s=%s", k, e.OTLP.Headers[k])
			}
			if e.OTLP.Gzip {
				b.WriteString(" gzip")
			}
			fmt.Fprintf(&b, " %v", e.OTLP.Timeout)
		case e.UDP != nil:
			fmt.Fprintf(&b, "udp %s %s:%d", e.UDP.Format, e.UDP.Host, e.UDP.Port)
		case e.HTTP != nil:
			fmt.Fprintf(&b, "http %s user=%s", e.HTTP.Endpoint, e.HTTP.Username)
		}
		if e.Sync {
			b.WriteString(" sync")
		}
		fmt.Fprintf(&b, " as %s\n", e.ServiceName)
	}
	for _, p := range problems.All() {
		b.WriteString(p.Error() + "\n")
	}
	return config, b.String()
}

func firstWord(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}

// TestConfigurationIsReadAsRecorded compares every input of testdata/config.txt
// with what follows it. A case is "== title", an endpoints file, lines of
// variables after "-- env", and the result after "-- result".
func TestConfigurationIsReadAsRecorded(t *testing.T) {
	file := filepath.Join("testdata", "config.txt")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for i, c := range strings.Split(string(text), "== ") {
		if i == 0 {
			out.WriteString(c)
			continue
		}
		title, rest, _ := strings.Cut(c, "\n")
		input, want, _ := strings.Cut(rest, "-- result\n")
		endpoints, variables, _ := strings.Cut(input, "-- env\n")
		env := map[string]string{}
		for line := range strings.Lines(variables) {
			k, v, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
			env[k] = v
		}
		_, got := read(endpoints, env)
		if got != strings.TrimRight(want, "\n")+"\n" && !*update {
			t.Errorf("%s: got\n%swant\n%s", title, got, want)
		}
		fmt.Fprintf(&out, "== %s\n%s-- result\n%s\n", title, input, got)
	}
	if *update {
		if err := os.WriteFile(file, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestSettingsThatAllBackendsShare(t *testing.T) {
	config, got := read(`
tracing:
- {type: jaeger, capture_content: true, baggage: false, trust_incoming: link, sampler: {type: traceidratio, ratio: 0.25}}
- {type: otlp, endpoint: "http://localhost:4317", capture_content: false}
`, nil)
	if !config.CaptureContent || config.Baggage || config.TrustIncoming != tracing.TrustLink || config.Sampler != (tracing.Sampler{Type: "traceidratio", Ratio: 0.25}) {
		t.Errorf("got %+v", config)
	}
	if !strings.Contains(got, "capture_content counts for all backends") {
		t.Errorf("the second entry's setting was dropped in silence:\n%s", got)
	}
}

// TestDocumentedSamples reads the two files of the specification, with only the
// authority's file replaced.
func TestDocumentedSamples(t *testing.T) {
	ca := tlstest.New(t).File(t)
	for name, want := range map[string]string{
		"jaeger.yml": "udp compact localhost:6831 as rasa\n",
		"otlp.yml":   "otlp auto my-otlp-host:4318 TLS 10s as rasa\n",
	} {
		text, err := os.ReadFile(sharedtest.Dir(t, "spec", "samples", name))
		if err != nil {
			t.Fatal(err)
		}
		if _, got := read(strings.ReplaceAll(string(text), "./tests/unit/tracing/fixtures/ca.pem", ca), nil); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("tracing: {type: jaeger, port: -1, sampler: [], headers: {a: {}}}")
	f.Add("tracing: [{type: otlp, endpoint: 'http://[::1'}, null, 3]")
	f.Fuzz(func(t *testing.T, text string) { read(text, nil) })
}
