package pyrandom_test

import (
	"encoding/json"
	"math/big"
	"os"
	"slices"
	"testing"

	"github.com/loquat-dev/loquat/internal/pyrandom"
)

// recorded is what Python 3.11 and NumPy 1.23 choose: random.Random(seed).sample(
// range(n), k) and numpy.random.RandomState(seed).permutation(n).
type recorded struct {
	Sample []struct {
		Seed string
		N, K int
		Want []int
	}
	Permutation []struct {
		Seed uint32
		N    int
		Want []int
	}
}

func TestChoosesAsPythonDoes(t *testing.T) {
	data, err := os.ReadFile("testdata/python.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(data, &r); err != nil || len(r.Sample) == 0 || len(r.Permutation) == 0 {
		t.Fatalf("no recordings: %v", err)
	}
	for _, c := range r.Sample {
		seed, ok := new(big.Int).SetString(c.Seed, 10)
		if !ok {
			t.Fatalf("seed %q", c.Seed)
		}
		if got := pyrandom.New(seed).Sample(c.N, c.K); !slices.Equal(got, c.Want) {
			t.Errorf("sample of %d from %d with seed %s: got %v, want %v", c.K, c.N, c.Seed, got, c.Want)
		}
	}
	for _, c := range r.Permutation {
		if got := pyrandom.NewNumPy(c.Seed).Permutation(c.N); !slices.Equal(got, c.Want) {
			t.Errorf("permutation of %d with seed %d: got %v, want %v", c.N, c.Seed, got, c.Want)
		}
	}
}
