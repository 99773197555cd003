package golden

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/sentence/minilm"
)

// Bounds of the cosine of a vector with the recorded one, which was computed with
// 32 bits.
const (
	leastCosine = 0.995
	meanCosine  = 0.999
)

// encoded is a recorded text.
type encoded struct {
	Text      string    `json:"text"`
	IDs       []int32   `json:"ids"`
	Truncated bool      `json:"truncated"`
	Vector    []float32 `json:"vector"`
}

// Encoder compares the built-in sentence encoder with vectors of its published
// weights.
func Encoder() []Check {
	const file = "encoder/vectors.jsonl"
	return []Check{{file, func(dir string) Report {
		r := Report{File: file}
		if err := compareEncoded(&r, filepath.Join(dir, filepath.FromSlash(file))); err != nil {
			return fail(file, err)
		}
		return r
	}}}
}

func compareEncoded(r *Report, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var recorded []encoded
	var texts []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line encoded
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		recorded, texts = append(recorded, line), append(texts, line.Text)
	}
	e, err := minilm.Open()
	if err != nil {
		return err
	}
	vectors, err := e.Encode(context.Background(), texts)
	if err != nil {
		return err
	}
	sum := 0.0
	for i, line := range recorded {
		cosine := cosine(vectors[i], line.Vector)
		sum += cosine
		r.equal(fmt.Sprintf("%.40q", line.Text), differenceOf(e, line, cosine))
	}
	if mean := sum / float64(len(recorded)); !(mean >= meanCosine) {
		r.equal("mean", fmt.Sprintf("a cosine of %.5f, at least %v is wanted", mean, meanCosine))
	}
	return lines.Err()
}

func differenceOf(e *sentence.Encoder, line encoded, cosine float64) string {
	pieces, cut := e.Tokenize(nil, line.Text)
	var ids []int32
	for _, p := range pieces {
		ids = append(ids, p.ID)
	}
	switch {
	case !slices.Equal(ids, line.IDs):
		return fmt.Sprintf("pieces %v, recorded %v", ids, line.IDs)
	case cut != line.Truncated:
		return fmt.Sprintf("cut off: %v, recorded %v", cut, line.Truncated)
	case !(cosine >= leastCosine):
		return fmt.Sprintf("a cosine of %.5f, at least %v is wanted", cosine, leastCosine)
	}
	return ""
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}
