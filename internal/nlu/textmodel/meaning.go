package textmodel

import (
	"context"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/discriminant"
	"github.com/loquat-dev/loquat/internal/ml/vector"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// How dense features are used; chosen like the numbers above.
const (
	// meaningPrior is for how many examples it counts that any two texts of an
	// intent may differ in any direction.
	meaningPrior = 500
	// enoughForNetworks is from how many examples on networks learn too. Fewer teach
	// them nothing that dense features don't say better.
	enoughForNetworks = 2000
	// denseLength is the length of dense vectors beside sparse ones of about 2.3, and
	// denseCost what a violated margin of machines that see both costs.
	denseLength = 3
	denseCost   = 0.5
)

// parts are what the machines, each network and the dense features contribute to the
// probabilities, and the power to which their mean is raised, see sharpen.
type parts struct{ machines, network, meaning, power float64 }

func (m *Model) parts() parts {
	switch {
	case m.meaning == nil:
		return parts{machines: 1, network: 1, power: confidencePower}
	case len(m.nets) == 0:
		return parts{machines: 1, meaning: 1, power: confidencePower}
	default:
		return parts{machines: 9, network: 1, meaning: 3, power: 1}
	}
}

// meaning is what is learned from dense features, such as a language model's
// vector of the text: where the labels lie among them (package discriminant). The
// support vector machines see the same vectors beside the sparse ones.
type meaning struct {
	blocks []block
	model  *discriminant.Model
}

// block is the dense features of one featurizer.
type block struct {
	origin string
	width  int
	scale  float32 // makes them about 1 long
}

// denseScratch is the work space of one message after the other.
type denseScratch struct {
	raw        []float32
	normalized []float32 // of length 1, or 0 if the message has none
	beside     []float32 // the same, denseLength long
	scores     []float32
}

// learnBlocks lists what dense features the messages have; nil if none.
func learnBlocks(messages []*nlu.Message, origins []string) *meaning {
	var m meaning
	squares, rows := map[string]float64{}, map[string]float64{}
	for _, message := range messages {
		for _, f := range message.Select(nlu.Text, nlu.Sentence, origins) {
			if f.Sparse != nil || len(f.Dense) == 0 {
				continue
			}
			if rows[f.Origin] == 0 {
				m.blocks = append(m.blocks, block{origin: f.Origin, width: len(f.Dense[0])})
			}
			squares[f.Origin] += float64(vector.Dot(f.Dense[0], f.Dense[0]))
			rows[f.Origin]++
		}
	}
	if m.width() == 0 {
		return nil
	}
	for i := range m.blocks {
		b := &m.blocks[i]
		if b.scale = 1; squares[b.origin] > 0 {
			b.scale = float32(math.Sqrt(rows[b.origin] / squares[b.origin]))
		}
	}
	return &m
}

// width is how many numbers the vectors have; 0 without dense features.
func (m *meaning) width() int {
	n := 0
	if m != nil {
		for _, b := range m.blocks {
			n += b.width
		}
	}
	return n
}

// train learns where the labels lie, and returns what the machines see of each
// message.
func (m *meaning) train(ctx context.Context, messages []*nlu.Message, label []int, labels int, o Settings) ([][]float32, error) {
	var vectors [][]float32
	var known []int
	for i, message := range messages {
		v := make([]float32, m.width())
		if m.gather(message, o.Featurizers, v) {
			vectors, known = append(vectors, v), append(known, label[i])
		}
	}
	var err error
	if m.model, err = discriminant.Fit(ctx, vectors, known, labels, discriminant.Options{Prior: meaningPrior, Threads: max(o.Threads, 1)}); err != nil {
		return nil, err
	}
	dense := make([][]float32, len(messages))
	for i, message := range messages {
		var s denseScratch
		dense[i] = m.read(message, o.Featurizers, &s)
	}
	return dense, nil
}

// gather puts the dense features of a message side by side into out, and tells
// whether it has any.
func (m *meaning) gather(message *nlu.Message, origins []string, out []float32) (any bool) {
	clear(out)
	for i := range message.Features {
		f := &message.Features[i]
		if f.Attribute != nlu.Text || f.Level != nlu.Sentence || f.Sparse != nil || len(f.Dense) == 0 || !chosen(f.Origin, origins) {
			continue
		}
		at := 0
		for _, b := range m.blocks {
			if b.origin == f.Origin && b.width == len(f.Dense[0]) {
				vector.AddScaled(out[at:at+b.width], b.scale, f.Dense[0])
				any = any || vector.Dot(f.Dense[0], f.Dense[0]) > 0
			}
			at += b.width
		}
	}
	return any
}

func chosen(origin string, origins []string) bool {
	for _, o := range origins {
		if o == origin {
			return true
		}
	}
	return len(origins) == 0
}

// read prepares the dense vector of a message for join, and returns what the
// machines see. Both belong to s.
func (m *meaning) read(message *nlu.Message, origins []string, s *denseScratch) []float32 {
	if n := m.width(); len(s.raw) != n {
		s.raw, s.normalized, s.beside = make([]float32, n), make([]float32, n), make([]float32, n)
	}
	clear(s.beside)
	if !m.gather(message, origins, s.raw) {
		clear(s.normalized)
		return s.beside
	}
	m.model.Normalize(s.raw, s.normalized)
	vector.AddScaled(s.beside, denseLength, s.normalized)
	return s.beside
}

// join adds the probabilities by dense vectors, times part, to p.
func (m *meaning) join(p []float64, part float64, s *denseScratch) {
	if len(s.scores) != len(p) {
		s.scores = make([]float32, len(p))
	}
	m.model.Scores(s.normalized, s.scores)
	top, sum := s.scores[0], 0.0
	for _, v := range s.scores {
		top = max(top, v)
	}
	for _, v := range s.scores {
		sum += math.Exp(m.model.Sharpness * float64(v-top))
	}
	for k, v := range s.scores {
		p[k] += part * math.Exp(m.model.Sharpness*float64(v-top)) / sum
	}
}

func (m *meaning) write(w *weights.Writer) {
	w.Int(len(m.blocks))
	for _, b := range m.blocks {
		w.String(b.origin)
		w.Int(b.width)
		w.Float(float64(b.scale))
	}
	m.model.Write(w)
}

// widest is more columns than any featurizer has.
const widest = 1 << 20

func readMeaning(r *weights.Reader) *meaning {
	m := &meaning{}
	for range r.Int() {
		b := block{origin: r.String(), width: r.Int(), scale: float32(r.Float())}
		if r.Err() != nil {
			break
		}
		if b.width < 1 || b.width > widest {
			r.Fail("dense features of %d columns", b.width)
			break
		}
		m.blocks = append(m.blocks, b)
	}
	m.model = discriminant.Read(r)
	if r.Err() == nil && m.model.Features != m.width() {
		r.Fail("a model of %d dense features, blocks of %d", m.model.Features, m.width())
	}
	return m
}
