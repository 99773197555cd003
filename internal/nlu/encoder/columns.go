// Package encoder turns messages into the sparse vectors that our learners learn
// from: whole texts (Text) and their tokens (Tokens). A vector has the features of
// the pipeline, sparse and dense side by side and brought to one scale, and beside
// them some that the encoders make of the tokens themselves.
package encoder

import (
	"fmt"
	"math"
	"slices"

	"github.com/loquat-dev/loquat/internal/ml/vocab"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// block is the features of one featurizer at one level, as they were in
// training.
type block struct {
	origin string
	dense  bool
	width  int
	// scale makes dense rows have a length of about 1; 1 for sparse features.
	scale float32
	// number is the feature number of each column, −1 for columns that no training
	// example used. Dense columns are numbered without gaps.
	number []int32
}

// columns numbers the columns of a pipeline's features. A column goes by the
// name of its featurizer and its place there, so that numbers stay the same when
// fine-tuning appends columns to a featurizer.
type columns struct {
	level      nlu.Level
	sparseOnly bool // dense features are somebody else's
	blocks     []block
}

// find returns the block for some features of a message, or nil.
func (c *columns) find(f nlu.Features) *block {
	for i := range c.blocks {
		if b := &c.blocks[i]; b.origin == f.Origin && b.dense == (f.Sparse == nil) {
			return b
		}
	}
	return nil
}

func hashColumn(origin string, dense bool, column int) uint64 {
	kind := "sparse"
	if dense {
		kind = "dense"
	}
	return vocab.Mix(vocab.Int(vocab.String(vocab.Seed(kind), origin), column))
}

// learn numbers what the messages use, in the table. Dense columns come first.
// A featurizer that has become narrower than it was is an error: its columns no
// longer mean what was learned.
func (c *columns) learn(messages []*nlu.Message, origins []string, table *vocab.Table) error {
	lengths, rows := map[int]float64{}, map[int]int{}
	used := map[int]map[int32]bool{}
	for _, m := range messages {
		for _, f := range m.Select(nlu.Text, c.level, origins) {
			if c.sparseOnly && f.Sparse == nil {
				continue
			}
			at, err := c.meet(f)
			if err != nil {
				return err
			}
			if f.Sparse == nil {
				for _, row := range f.Dense {
					lengths[at] += squareSum(row)
					rows[at]++
				}
				continue
			}
			if used[at] == nil {
				used[at] = map[int32]bool{}
			}
			for _, column := range f.Sparse.Index {
				used[at][column] = true
			}
		}
	}
	for _, dense := range []bool{true, false} {
		for at := range c.blocks {
			b := &c.blocks[at]
			if b.dense != dense {
				continue
			}
			b.scale = 1
			if dense && lengths[at] > 0 {
				b.scale = float32(math.Sqrt(float64(rows[at]) / lengths[at]))
			}
			for column := range b.width {
				if dense || used[at][int32(column)] {
					table.Add(hashColumn(b.origin, dense, column))
				}
			}
		}
	}
	c.link(table)
	return nil
}

// meet returns the place of the block of f, a new one if need be, as wide as f.
func (c *columns) meet(f nlu.Features) (int, error) {
	width := 0
	if f.Sparse != nil {
		width = f.Sparse.Cols
	} else if len(f.Dense) > 0 {
		width = len(f.Dense[0])
	}
	for at := range c.blocks {
		b := &c.blocks[at]
		if b.origin != f.Origin || b.dense != (f.Sparse == nil) {
			continue
		}
		if width < b.width && b.number != nil {
			return 0, fmt.Errorf("the features of %s have shrunk from %d columns to %d: fine-tuning can't go on from the earlier model, train anew", f.Origin, b.width, width)
		}
		b.width = max(b.width, width)
		return at, nil
	}
	c.blocks = append(c.blocks, block{origin: f.Origin, dense: f.Sparse == nil, width: width})
	return len(c.blocks) - 1, nil
}

// link finds the numbers of all columns in a table.
func (c *columns) link(table *vocab.Table) {
	for at := range c.blocks {
		b := &c.blocks[at]
		b.number = make([]int32, b.width)
		for column := range b.number {
			b.number[column] = table.Find(hashColumn(b.origin, b.dense, column))
		}
	}
}

// relink is link after reading from a file.
func (c *columns) relink(table *vocab.Table, r *weights.Reader) {
	c.link(table)
	for _, b := range c.blocks {
		if b.dense && slices.Contains(b.number, -1) {
			r.Fail("a dense column of %s has no number", b.origin)
		}
	}
}

// denseColumns is how many of the first feature numbers are dense columns.
func (c *columns) denseColumns() int {
	n := 0
	for _, b := range c.blocks {
		if b.dense {
			n += b.width
		}
	}
	return n
}

func squareSum(row []float32) float64 {
	sum := 0.0
	for _, v := range row {
		sum += float64(v) * float64(v)
	}
	return sum
}

func (c *columns) write(w *weights.Writer) {
	w.Int(len(c.blocks))
	for _, b := range c.blocks {
		w.String(b.origin)
		w.Bool(b.dense)
		w.Int(b.width)
		w.Float(float64(b.scale))
	}
}

// widest is more columns than any featurizer has. It bounds what a damaged file
// can make us allocate.
const widest = 1 << 22

func readColumns(r *weights.Reader, level nlu.Level) columns {
	c := columns{level: level}
	total := 0
	for range r.Int() {
		b := block{origin: r.String(), dense: r.Bool(), width: r.Int(), scale: float32(r.Float())}
		if r.Err() != nil {
			break
		}
		if total += b.width; b.width < 0 || total > widest {
			r.Fail("features of %d columns", b.width)
			break
		}
		c.blocks = append(c.blocks, b)
	}
	return c
}
