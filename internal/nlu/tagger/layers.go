package tagger

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/nlu"
)

// The layers of tags: what of an entity is a label.
const (
	Entities = iota
	Roles
	Groups
	NumLayers
)

// LayerNames are for messages.
var LayerNames = [NumLayers]string{"entities", "roles", "groups"}

func label(e nlu.Entity, layer int) string {
	switch layer {
	case Roles:
		return e.Role
	case Groups:
		return e.Group
	default:
		return e.Entity
	}
}

// Gold are the true tags of annotated messages.
type Gold struct {
	Tags   [NumLayers][][]nlu.Tag // of each message
	Labels [NumLayers][]string    // sorted; none if no entity has any
}

// Annotated returns the tags that the annotations of messages stand for. Those
// made by another extractor than the given one do not count.
func Annotated(messages []*nlu.Message, extractor string, bilou bool) *Gold {
	g := &Gold{}
	for layer := range NumLayers {
		var labels []string
		for _, m := range messages {
			tags := AnnotatedTags(m, layer, extractor, bilou)
			g.Tags[layer] = append(g.Tags[layer], tags)
			for _, t := range tags {
				if !t.Outside() {
					labels = append(labels, t.Label)
				}
			}
		}
		g.Labels[layer] = slices.Compact(slices.Sorted(slices.Values(labels)))
	}
	return g
}

// AnnotatedTags returns the tags of one message for one layer. With BILOU, an
// entity has the tokens that lie within it, and of overlapping ones the last
// counts; without, it has those that it touches, and the first counts. That is
// Rasa 3.6, but for one thing: with BILOU, Rasa drops an entity that does not
// begin and end where tokens do, such as one annotated with the full stop after
// it. A percent of the annotations of public data sets is like that, and it is
// worth a point of F1.
func AnnotatedTags(m *nlu.Message, layer int, extractor string, bilou bool) []nlu.Tag {
	tokens := m.Tokens[nlu.Text]
	tags := make([]nlu.Tag, len(tokens))
	taken := make([]bool, len(tokens))
	for _, e := range m.Entities {
		if e.Extractor != "" && e.Extractor != extractor {
			continue
		}
		label := label(e, layer)
		if !bilou {
			for i, t := range tokens {
				if !taken[i] && t.Start < e.End && t.End > e.Start {
					taken[i], tags[i] = true, nlu.Tag{Label: label}
				}
			}
			continue
		}
		first, after := 0, len(tokens)
		for first < after && tokens[first].Start < e.Start {
			first++
		}
		for after > first && tokens[after-1].End > e.End {
			after--
		}
		setSpan(tags[first:after], label)
	}
	return tags
}

// setSpan writes the BILOU tags of one span; without a label, it is outside.
func setSpan(tags []nlu.Tag, label string) {
	for i := range tags {
		switch {
		case label == "":
			tags[i] = nlu.Tag{}
		case len(tags) == 1:
			tags[i] = nlu.Tag{Prefix: 'U', Label: label}
		case i == 0:
			tags[i] = nlu.Tag{Prefix: 'B', Label: label}
		case i == len(tags)-1:
			tags[i] = nlu.Tag{Prefix: 'L', Label: label}
		default:
			tags[i] = nlu.Tag{Prefix: 'I', Label: label}
		}
	}
}
