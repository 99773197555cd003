package languagemodel

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/sentence/minilm"
)

// layers is how many of the last layers make up the features.
const layers = 3

// weights are an encoder and the vectors of the texts that it has seen of late.
type weights struct {
	encoder     *sentence.Encoder
	fingerprint string // SHA-256
	size        int64  // of the files they were read from
	changed     time.Time
	recent      recent
}

// encoders opens each encoder once for all nodes and models that use it. It is
// safe for concurrent use.
type encoders struct {
	mu     sync.Mutex
	opened map[string]*weights // by path; "" is the one that is built in
}

// load returns the weights that settings ask for. If they say with which ones a
// model was trained, others are refused.
func (e *encoders) load(c Config) (*weights, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	path := c.path()
	size, changed := e.stat(path)
	w := e.opened[path]
	if w == nil || w.size != size || !w.changed.Equal(changed) {
		open := minilm.Open
		if path != "" {
			open = func() (*sentence.Encoder, error) { return sentence.Load(path) }
		}
		encoder, err := open()
		if err != nil {
			if c.WeightsSHA256 != "" {
				err = fmt.Errorf("%w; the model was trained with weights of SHA-256 %s: put them there, or train again", err, c.WeightsSHA256)
			}
			return nil, err
		}
		w = &weights{encoder: encoder, fingerprint: encoder.Fingerprint(), size: size, changed: changed}
		e.opened[path] = w
	}
	if c.WeightsSHA256 != "" && c.WeightsSHA256 != w.fingerprint {
		return nil, fmt.Errorf("the weights %s are others than the model was trained with: their SHA-256 is %s, not %s; put those there, or train again",
			cmp.Or(path, w.encoder.Name()), w.fingerprint, c.WeightsSHA256)
	}
	return w, nil
}

// stat tells the files of one path from those that are there later.
func (e *encoders) stat(path string) (size int64, changed time.Time) {
	if path == "" {
		return 0, time.Time{}
	}
	files := []string{path}
	if entries, err := os.ReadDir(path); err == nil {
		files = nil
		for _, entry := range entries {
			files = append(files, filepath.Join(path, entry.Name()))
		}
	}
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			size += info.Size()
			if info.ModTime().After(changed) {
				changed = info.ModTime()
			}
		}
	}
	return size, changed
}

// length is that of the vector of each layer, about as long as they are before they
// become 1 long. LogisticRegressionClassifier takes features as they are, counts of
// n-grams among them, beside which short vectors would not be heard.
const length = 10

// batch is how many texts are encoded with one call.
const batch = 256

// vectors returns what is wanted of each text.
func (w *weights) vectors(ctx context.Context, texts []wanted) ([]encoded, error) {
	out := make([]encoded, 0, len(texts))
	for from := 0; from < len(texts); from += batch {
		some, pieces := make([]string, 0, batch), false
		for _, t := range texts[from:min(from+batch, len(texts))] {
			some = append(some, t.text)
			pieces = pieces || len(t.tokens) > 0
		}
		encode := w.encoder.EncodeLayers
		if pieces {
			encode = w.encoder.EncodePieces
		}
		encodings, err := encode(ctx, some, min(layers, w.encoder.NumLayers()))
		if err != nil {
			return nil, fmt.Errorf("encode texts: %w", err)
		}
		for i := range encodings {
			v := encodings[i].Layers
			// A model's own vector of a text stands for its last layer.
			copy(v, encodings[i].Vector)
			for k := range v {
				v[k] *= length
			}
			out = append(out, encoded{v, meansOfTokens(texts[from+i], &encodings[i])})
		}
	}
	return out, nil
}

// width is how many numbers a vector has.
func (w *weights) width() int {
	return min(layers, w.encoder.NumLayers()) * w.encoder.Dim()
}

// recentVectors is vectors for texts that may come again soon.
func (w *weights) recentVectors(ctx context.Context, texts []wanted) ([]encoded, error) {
	out := make([]encoded, len(texts))
	var missing []wanted
	var at []int
	for i, text := range texts {
		if known := w.recent.get(text); known != nil {
			out[i] = *known
		} else {
			missing, at = append(missing, text), append(at, i)
		}
	}
	if len(missing) == 0 {
		return out, nil
	}
	found, err := w.vectors(ctx, missing)
	if err != nil {
		return nil, err
	}
	for k, i := range at {
		out[i] = found[k]
		w.recent.put(texts[i], found[k])
	}
	return out, nil
}
