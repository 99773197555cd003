package minilm

import (
	"context"
	"testing"
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
