package vocab_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
)

func TestNumbersFollowTheOrderOfAdding(t *testing.T) {
	var table vocab.Table
	if table.Find(7) != -1 {
		t.Error("an empty table knows a hash")
	}
	seed := vocab.Seed("word")
	for round := range 2 {
		for i := range 10_000 {
			if n := table.Add(vocab.Mix(vocab.Int(seed, i))); n != int32(i) {
				t.Fatalf("round %d: item %d has number %d", round, i, n)
			}
		}
	}
	again := vocab.NewTable(table.Hashes())
	for i := range 10_000 {
		if n := again.Find(vocab.Mix(vocab.Int(seed, i))); n != int32(i) {
			t.Fatalf("item %d has number %d after a copy", i, n)
		}
	}
	if again.Find(vocab.Mix(vocab.Int(seed, 10_000))) != -1 {
		t.Error("the table knows what was never added")
	}
}

func TestKindsAndTextsHaveTheirOwnHashes(t *testing.T) {
	seen := map[uint64]string{}
	for _, kind := range []string{"word", "prefix"} {
		for _, s := range []string{"", "a", "b", "ab", "ba", "é", "\u0101"} {
			h := vocab.Mix(vocab.String(vocab.Seed(kind), s))
			if other, ok := seen[h]; ok {
				t.Errorf("%s %q has the hash of %s", kind, s, other)
			}
			seen[h] = kind + " " + s
		}
	}
}
