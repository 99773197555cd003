package minilm

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
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

func TestPieces(t *testing.T) {
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	text := "Überfällig"
	all, err := e.EncodePieces(context.Background(), []string{"", text}, 2)
	if err != nil {
		t.Fatal(err)
	}
	if len(all[0].Pieces) != 0 || len(all[0].Vectors) != 0 {
		t.Errorf("the empty text has pieces: %+v", all[0].Pieces)
	}
	last := 0
	for i, p := range all[1].Pieces {
		if int(p.Start) != last || len(all[1].PieceVector(i)) != e.Dim() {
			t.Errorf("piece %d is %+v, with %d numbers", i, p, len(all[1].PieceVector(i)))
		}
		last = int(p.End)
	}
	if last != len(text) {
		t.Errorf("the pieces end at %d of %d", last, len(text))
	}
	if layers := all[1].Layers; len(layers) != 2*e.Dim() || !slices.Equal(layers[:e.Dim()], all[1].Vector) || slices.Equal(layers[e.Dim():], all[1].Vector) {
		t.Errorf("%d numbers of layers", len(layers))
	}
	short, err := e.EncodeLayers(context.Background(), []string{"", text}, 2)
	if err != nil || !slices.Equal(short[1].Layers, all[1].Layers) || short[1].Cut != all[1].Cut || short[1].Pieces != nil {
		t.Errorf("without pieces the layers are others (%v)", err)
	}
	if _, err := e.EncodePieces(context.Background(), nil, 7); err == nil {
		t.Error("7 layers of 6")
	}
}

// Every processor gives the same bits; these were seen on amd64 and on arm64.
func TestVectorsAreTheSameOnEveryProcessor(t *testing.T) {
	e, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := e.Encode(context.Background(), []string{"", "what is my balance?", "Überweisen Sie 20 € nach 東京"})
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.New()
	if err := binary.Write(digest, binary.LittleEndian, slices.Concat(vectors...)); err != nil {
		t.Fatal(err)
	}
	const want = "defa60770685a816"
	if got := hex.EncodeToString(digest.Sum(nil)[:8]); got != want {
		t.Errorf("with %s the vectors have the digest %s, want %s", e.Kernel(), got, want)
	}
}
