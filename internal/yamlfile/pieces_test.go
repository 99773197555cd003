package yamlfile

import (
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// same fails unless a text reads the same in pieces and as a whole. It reports
// whether the text could be read in pieces.
func same(t *testing.T, name, text string) bool {
	t.Helper()
	for _, size := range []int{1, 40, 400} {
		pieces, ok := parsePieces([]byte(text), name, size)
		if !ok {
			if size == 1 {
				return false
			}
			continue
		}
		var problems diag.List
		whole := parseWhole(newBuilder(name, &problems), []byte(text), name, &problems)
		if err := problems.Err(); err != nil {
			t.Errorf("%s: pieces of %d bytes hide the error %v", name, size, err)
		} else if !reflect.DeepEqual(whole, pieces) {
			a, _ := whole.MarshalJSON()
			b, _ := pieces.MarshalJSON()
			t.Errorf("%s differs in pieces of %d bytes:\n%s\n%s", name, size, a, b)
		}
	}
	return true
}

func TestPiecesReadLikeTheWhole(t *testing.T) {
	read := 0
	err := filepath.WalkDir(sharedtest.Dir(t, "data", "bots"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".yml") {
			return err
		}
		text, err := os.ReadFile(path)
		if err == nil && len(text) < 20_000 && same(t, filepath.Base(path), string(text)) {
			read++
		}
		return err
	})
	if err != nil || read < 200 {
		t.Errorf("%d files were read in pieces (%v)", read, err)
	}
}

func TestPiecesGiveUpWhereTheyMust(t *testing.T) {
	for _, text := range []string{
		"a: 1\nb: 2\na: 3\n",             // a key twice
		"a:\n  x: 1\n  y: 2\n  x: 3\n",   // a key twice in a section
		"a:\n  x: 1\nb: 2\na:\n  z: 1\n", // a section twice
		"a: &x 1\nb: *x\n",               // an alias across pieces
		"a:\n  some text\n  goes on\nb: 1\n",
		"a: \"one\nb: two\"\n",
		"a: [1,\n2]\n",
		"- a\n- b\n",
		"a: 1\n--- \nb: 2\n",
		"a: ${LOQUAT_NOT_SET}\nb: 1\n",
	} {
		if n, ok := parsePieces([]byte(text), "x.yml", 1); ok {
			got, _ := n.MarshalJSON()
			t.Errorf("%q was read in pieces as %s", text, got)
		}
	}
}

func FuzzPieces(f *testing.F) {
	f.Add("a: 1\nb:\n  c: 2\n  d:\n  - e\n  - f: |\n      g\n# h\nnlu:\n- intent: i\n  examples: |\n    - j\n")
	f.Add("# c\n---\na:\n  b: \"x\n  y\"\n  c: {d: 1,\n  e: 2}\n  f: >\n    g\n\n    h\ni:\n? j\n: k\n")
	f.Fuzz(func(t *testing.T, text string) { same(t, "x.yml", text) })
}
