// Package tagger finds the tags of a message's tokens with a conditional random
// field. DIETClassifier and CRFEntityExtractor see tokens differently and learn
// differently; how annotations become tags, and probabilities tags again, is the
// same for both and lives here.
package tagger

import (
	"strings"

	"github.com/loquat-dev/loquat/internal/ml/crf"
	"github.com/loquat-dev/loquat/internal/ml/sparse"
	"github.com/loquat-dev/loquat/internal/ml/weights"
	"github.com/loquat-dev/loquat/internal/nlu"
)

// Tagger finds the tags of one layer: of entity types, roles or groups.
type Tagger struct {
	Tags  []nlu.Tag // by number; the first is "O"
	Model *crf.Model
}

// Tags numbers the tags of sorted labels: "O", then those of each label.
func Tags(labels []string, bilou bool) []nlu.Tag {
	tags := []nlu.Tag{{}}
	for _, label := range labels {
		if !bilou {
			tags = append(tags, nlu.Tag{Label: label})
			continue
		}
		for _, prefix := range []byte("BILU") {
			tags = append(tags, nlu.Tag{Prefix: prefix, Label: label})
		}
	}
	return tags
}

// Decode takes the most probable tag of each token. x has a row for each. The
// result is not repaired (see nlu.RepairBILOU).
func (t *Tagger) Decode(x *sparse.Matrix, l *crf.Lattice) nlu.TokenTags {
	p := t.Model.Marginals(x, l)
	n := len(t.Tags)
	out := nlu.TokenTags{Tags: make([]nlu.Tag, x.Rows()), Confidence: make([]float64, x.Rows())}
	for i := range out.Tags {
		out.Tags[i], out.Confidence[i] = nlu.TagFromMarginals(t.Tags, p[i*n:(i+1)*n])
	}
	return out
}

// Write adds the tagger to a file (docs/formats/diet.md).
func (t *Tagger) Write(w *weights.Writer) {
	labels, prefixes := make([]string, len(t.Tags)), make([]int8, len(t.Tags))
	for n, tag := range t.Tags {
		labels[n], prefixes[n] = tag.Label, int8(tag.Prefix)
	}
	w.Strings(labels)
	w.Int8s(prefixes)
	t.Model.Write(w)
}

// Read reads what Write has written; the field may know no more than the given
// number of features. What does not fit together makes the reader fail, and then
// the tagger is nil.
func Read(r *weights.Reader, features int) *Tagger {
	labels, prefixes := r.Strings(), r.Int8s()
	if r.Err() != nil || len(labels) == 0 || len(prefixes) != len(labels) {
		r.Fail("%d labels and %d prefixes of tags", len(labels), len(prefixes))
		return nil
	}
	t := &Tagger{}
	for n, label := range labels {
		tag := nlu.Tag{Prefix: byte(prefixes[n]), Label: label}
		if tag.Outside() != (n == 0) || tag.Prefix != 0 && (label == "" || !strings.ContainsRune("BILU", rune(tag.Prefix))) {
			r.Fail("tag %d is %v", n, tag)
			return nil
		}
		t.Tags = append(t.Tags, tag)
	}
	t.Model = crf.Read(r, features)
	if r.Err() != nil {
		return nil
	}
	if t.Model.Tags() != len(t.Tags) {
		r.Fail("a field of %d tags for %d", t.Model.Tags(), len(t.Tags))
		return nil
	}
	return t
}
