package minilm

import (
	"context"
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
)

func BenchmarkEncode(b *testing.B) {
	e, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	texts := []string{"my card has not arrived yet and I need it"}
	to := make([]float32, e.Dim())
	b.ReportAllocs()
	for b.Loop() {
		if err := e.EncodeInto(context.Background(), to, texts); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	for b.Loop() {
		if _, err := sentence.OpenTrusted(weights); err != nil {
			b.Fatal(err)
		}
	}
}
