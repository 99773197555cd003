package minilm

import (
	"context"
	"testing"
)

func TestOpen(t *testing.T) {
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if e.Fingerprint() != Fingerprint || e.Name() != "all-MiniLM-L6-v2" || e.Dim() != 384 {
		t.Errorf("%s %q with %d numbers", e.Name(), e.Fingerprint(), e.Dim())
	}
	if len(weights) > 23_000_000 {
		t.Errorf("%d bytes of weights", len(weights))
	}
}

// Texts that mean the same without sharing a word are closer than texts that share
// words.
func TestMeaning(t *testing.T) {
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	v, err := e.Encode(context.Background(), []string{"my card was stolen", "somebody took my credit card", "my card was delivered"})
	if err != nil {
		t.Fatal(err)
	}
	dot := func(a, b []float32) (sum float32) {
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	if same, other := dot(v[0], v[1]), dot(v[0], v[2]); same <= other {
		t.Errorf("closeness %v to the paraphrase and %v to another meaning", same, other)
	}
	if length := dot(v[0], v[0]); length < 0.999 || length > 1.001 {
		t.Errorf("a vector's square is %v", length)
	}
}
