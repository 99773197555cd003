package weights_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/ml/weights"
)

func sample() []byte { return with(0.25, -2.5) }

// with is a file with these two numbers.
func with(number float64, weight float32) []byte {
	w := weights.NewWriter("sample", 3)
	w.Int(-5)
	w.Bool(true)
	w.Float(number)
	w.Strings([]string{"", "ä"})
	w.Floats([]float32{1, weight})
	w.Ints([]int32{-7})
	w.Hashes([]uint64{1 << 63})
	w.Int8s([]int8{-128, 127})
	w.Raw([]byte{7})
	return w.Bytes()
}

type contents struct {
	I       int
	B       bool
	F       float64
	Strings []string
	Floats  []float32
	Ints    []int32
	Hashes  []uint64
	Int8s   []int8
	Raw     []byte
}

func read(data []byte) (contents, error) {
	r := weights.NewReader(data, "sample", 3)
	c := contents{r.Int(), r.Bool(), r.Float(), r.Strings(), r.Floats(), r.Ints(), r.Hashes(), r.Int8s(), r.Raw()}
	return c, r.Close()
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	got, err := read(sample())
	if err != nil {
		t.Fatal(err)
	}
	want := contents{-5, true, 0.25, []string{"", "ä"}, []float32{1, -2.5}, []int32{-7}, []uint64{1 << 63}, []int8{-128, 127}, []byte{7}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestDamageIsFound(t *testing.T) {
	whole := sample()
	for n := range whole {
		if _, err := read(whole[:n]); !errors.Is(err, weights.ErrCorrupt) {
			t.Fatalf("cut to %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for name, data := range map[string][]byte{
		"no number":       with(math.NaN(), 1),
		"infinite":        with(math.Inf(-1), 1),
		"too large":       with(1e39, 1),
		"no weight":       with(1, float32(math.NaN())),
		"infinite weight": with(1, float32(math.Inf(1))),
		"left over":       append(bytes.Clone(whole), 0),
		"kind":            weights.NewWriter("other", 3).Bytes(),
		"version":         weights.NewWriter("sample", 4).Bytes(),
	} {
		if _, err := read(data); !errors.Is(err, weights.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzReader(f *testing.F) {
	f.Add(sample())
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, err := read(data); err != nil && !errors.Is(err, weights.ErrCorrupt) {
			t.Fatal(err)
		}
	})
}

// A model of yesterday is not damaged; it must be trained again.
func TestAnotherVersionSaysSo(t *testing.T) {
	r := weights.NewReader(weights.NewWriter("net", 1).Bytes(), "net", 2)
	if err := r.Close(); !errors.Is(err, weights.ErrCorrupt) || !strings.Contains(err.Error(), "(net 1, not 2): train the model again") || strings.Contains(err.Error(), "damaged") {
		t.Errorf("got %v", err)
	}
}
