package encoder

import (
	"context"
	"fmt"
	"math"

	"github.com/loquat-dev/loquat/internal/ml/principal"
	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// dense is what is seen of the dense features of tokens, such as a language model's
// vectors of them: where they lie along the directions in which they differ most
// (package principal). With few examples that says of a word that was never seen what
// kind of word it is; why not all numbers is told in
// docs/decisions/015-token-vectors.md.
type dense struct {
	origins []string // whose features, side by side
	widths  []int
	model   *principal.Model // nil if the pipeline has no such features
	scale   float32          // makes what is seen about denseLength long
	first   int32            // number of the first direction; the others follow
}

const (
	// directions is how many are looked at. As many numbers are taken as they are.
	directions = 32
	// denseLength is about the length of what is seen. Beside some forty features of
	// length 1 it would hardly be heard with a length of 1.
	denseLength = 2
)

var seedDirection = vocab.Seed("direction of dense features")

// denseScratch is the work space for one token after the other.
type denseScratch struct {
	row, centered []float32
	along         []float32
}

// learn finds directions, unless an earlier model knows them, and numbers them.
func (d *dense) learn(ctx context.Context, messages []*nlu.Message, origins []string, threads int, table *vocab.Table) error {
	known := d.model != nil
	if !known {
		d.meet(messages, origins)
	}
	if len(d.origins) == 0 {
		return nil
	}
	tokens := 0
	for _, m := range messages {
		tokens += len(m.Tokens[nlu.Text])
	}
	var rows [][]float32
	step, at := max(1, tokens/principal.Enough), 0
	for _, m := range messages {
		for i := range m.Tokens[nlu.Text] {
			if at++; (at-1)%step != 0 {
				continue
			}
			row := make([]float32, d.width())
			if ok, err := d.gather(m, i, row); err != nil {
				return err
			} else if ok {
				rows = append(rows, row)
			}
		}
	}
	if known || len(rows) == 0 {
		return nil
	}
	d.model = principal.Identity(d.width())
	if d.width() > directions {
		var err error
		if d.model, err = principal.Fit(ctx, rows, directions, threads); err != nil {
			return err
		}
	}
	var s denseScratch
	squares := 0.0
	for _, row := range rows {
		squares += squareSum(d.project(row, &s))
	}
	d.scale = 1
	if squares > 0 {
		d.scale = float32(denseLength * math.Sqrt(float64(len(rows))/squares))
	}
	for k := range d.model.Components {
		table.Add(join(seedDirection, uint64(k)))
	}
	return d.link(table)
}

// meet notes who gives dense features.
func (d *dense) meet(messages []*nlu.Message, origins []string) {
	met := map[string]bool{}
	for _, m := range messages {
		for _, f := range m.Select(nlu.Text, nlu.Sequence, origins) {
			if f.Sparse == nil && len(f.Dense) > 0 && !met[f.Origin] {
				met[f.Origin] = true
				d.origins, d.widths = append(d.origins, f.Origin), append(d.widths, len(f.Dense[0]))
			}
		}
	}
}

// width is how many numbers a token has.
func (d *dense) width() int {
	n := 0
	for _, w := range d.widths {
		n += w
	}
	return n
}

// gather puts the dense features of a token side by side, and tells whether it has
// any.
func (d *dense) gather(m *nlu.Message, token int, row []float32) (any bool, err error) {
	clear(row)
	for k := range m.Features {
		f := &m.Features[k]
		if f.Attribute != nlu.Text || f.Level != nlu.Sequence || f.Sparse != nil || token >= len(f.Dense) {
			continue
		}
		at := 0
		for i, origin := range d.origins {
			if origin == f.Origin {
				if len(f.Dense[token]) != d.widths[i] {
					return false, fmt.Errorf("the features of %s have changed from %d numbers to %d: fine-tuning can't go on from the earlier model, train anew", origin, d.widths[i], len(f.Dense[token]))
				}
				copy(row[at:], f.Dense[token])
				any = true
			}
			at += d.widths[i]
		}
	}
	return any, nil
}

// project finds where a token lies. The result belongs to s.
func (d *dense) project(row []float32, s *denseScratch) []float32 {
	if len(s.centered) != d.model.Features || len(s.along) != d.model.Components {
		s.centered, s.along = make([]float32, d.model.Features), make([]float32, d.model.Components)
	}
	d.model.Project(row, s.along, s.centered)
	return s.along
}

// appendTo appends what is seen of a token to a sparse row.
func (d *dense) appendTo(index []int32, value []float32, m *nlu.Message, token int, s *denseScratch) ([]int32, []float32) {
	if d.model == nil {
		return index, value
	}
	if n := d.width(); len(s.row) != n {
		s.row = make([]float32, n)
	}
	if ok, err := d.gather(m, token, s.row); !ok || err != nil { // features of another width say nothing
		return index, value
	}
	for k, v := range d.project(s.row, s) {
		index, value = append(index, d.first+int32(k)), append(value, v*d.scale)
	}
	return index, value
}

// link finds the number of the first direction.
func (d *dense) link(table *vocab.Table) error {
	if d.model == nil {
		return nil
	}
	d.first = table.Find(join(seedDirection, 0))
	for k := range d.model.Components {
		if n := table.Find(join(seedDirection, uint64(k))); n != d.first+int32(k) || n < 0 {
			return fmt.Errorf("direction %d has the number %d after %d", k, n, d.first)
		}
	}
	return nil
}

func (d *dense) write(w *weights.Writer) {
	w.Bool(d.model != nil)
	if d.model == nil {
		return
	}
	w.Strings(d.origins)
	widths := make([]int32, len(d.widths))
	for i, n := range d.widths {
		widths[i] = int32(n)
	}
	w.Ints(widths)
	w.Float(float64(d.scale))
	d.model.Write(w)
}

// readDense reads what write has written.
func readDense(r *weights.Reader, table *vocab.Table) dense {
	var d dense
	if !r.Bool() {
		return d
	}
	d.origins = r.Strings()
	for _, n := range r.Ints() {
		if n < 1 || n > widest {
			r.Fail("dense features of %d numbers", n)
			return dense{}
		}
		d.widths = append(d.widths, int(n))
	}
	d.scale = float32(r.Float())
	d.model = principal.Read(r)
	if r.Err() != nil {
		return dense{}
	}
	if len(d.widths) != len(d.origins) || d.width() != d.model.Features {
		r.Fail("dense features of %d featurizers and %d numbers, directions of %d", len(d.origins), d.width(), d.model.Features)
		return dense{}
	}
	if err := d.link(table); err != nil {
		r.Fail("%v", err)
	}
	return d
}
