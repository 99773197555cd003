package tracing_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(sinkVariable) != "" {
		beSink()
		return
	}
	goleak.VerifyTestMain(m)
}
