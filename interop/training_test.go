package interop_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/internal/tracing/tracetree"
)

// TestTrainingsArriveWhole trains in each way and compares the trees.
func TestTrainingsArriveWhole(t *testing.T) {
	setting(t, "LOQUAT_TEST_JAEGER")
	for _, c := range []struct {
		name string
		args [][]string // the last one is compared
	}{
		{"train_nlu", [][]string{{"train", "nlu"}}},
		{"train_core", [][]string{{"train", "core"}}},
		{"train_both", [][]string{{"train"}}},
		{"train_finetune", [][]string{{"train", "--config", "learned.yml"}, {"train", "--config", "learned.yml", "--finetune", "--epoch-fraction", "0.5"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var dir, service string
			for i, args := range c.args {
				if i == 0 {
					dir = untrainedBot(t, "")
				}
				service = fmt.Sprintf("%s-%d-%d", c.name, i, time.Now().UnixNano())
				env := []string{"OTEL_TRACES_EXPORTER=otlp", "OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4317", "TRACING_SERVICE_NAME=" + service}
				if out, err := run(t, dir, env, args...); err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
			}
			want(t, c.name, func() []tracetree.Span {
				spans := ofService(t, service)
				for i := range spans {
					spans[i].Service = "rasa"
				}
				return spans
			})
		})
	}
}
