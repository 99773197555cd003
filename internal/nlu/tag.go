package nlu

import (
	"strconv"
)

// Tag says what a sequence learner makes of one token: which label it carries
// and, in the BILOU scheme, which part of a span it is. The zero Tag is "O", a
// token outside of every span.
type Tag struct {
	Prefix byte // 'B', 'I', 'L', 'U', or 0 without BILOU
	Label  string
}

// Outside reports whether the token belongs to no span.
func (t Tag) Outside() bool { return t == Tag{} }

// String gives Rasa's spelling: "O", "city" or "B-city".
func (t Tag) String() string {
	switch {
	case t.Outside():
		return "O"
	case t.Prefix == 0:
		return t.Label
	default:
		return string(t.Prefix) + "-" + t.Label
	}
}

// ParseTag reads what Tag.String writes.
func ParseTag(s string) Tag {
	switch {
	case s == "O" || s == "":
		return Tag{}
	case len(s) > 2 && s[1] == '-' && (s[0] == 'B' || s[0] == 'I' || s[0] == 'L' || s[0] == 'U'):
		return Tag{s[0], s[2:]}
	default:
		return Tag{0, s}
	}
}

// TagFromMarginals decides for one token: the tag with the highest marginal
// probability, the first of equals, and as its confidence the sum over all
// prefixes of that label. tags and p run in parallel; with no tags the token is
// outside.
func TagFromMarginals(tags []Tag, p []float64) (Tag, float64) {
	if len(tags) == 0 {
		return Tag{}, 0
	}
	best := 0
	for i := range p {
		if p[i] > p[best] {
			best = i
		}
	}
	sum := 0.0
	for i, t := range tags {
		if t.Label == tags[best].Label {
			sum += p[i]
		}
	}
	return tags[best], sum
}

// RepairBILOU makes spans that begin with a B consistent, in place: such a span
// ends at the first L, or at the last I before anything else, which becomes L
// (or the B becomes U); if its tokens disagree about the label, the one with the
// best harmonic mean of mean confidence and share of tokens takes all of them,
// and the tokens that change get that mean as their confidence. Mean, share and
// score are rounded to two decimals, as in Rasa 3.6.21. Spans without a B stay
// as they are. confidences may be nil.
func RepairBILOU(tags []Tag, confidences []float64) {
	for begin := 0; begin < len(tags); begin++ {
		if tags[begin].Prefix != 'B' {
			continue
		}
		end := begin
		for end+1 < len(tags) {
			next := tags[end+1].Prefix
			if next != 'I' && next != 'L' {
				break
			}
			end++
			if next == 'L' {
				break
			}
		}
		agreeOnLabel(tags[begin:end+1], from(confidences, begin, end+1))
		if end == begin {
			tags[begin].Prefix = 'U'
		} else {
			tags[end].Prefix = 'L'
		}
		begin = end
	}
}

func from(values []float64, i, j int) []float64 {
	if values == nil {
		return nil
	}
	return values[i:j]
}

func agreeOnLabel(tags []Tag, confidences []float64) {
	winner, best := "", -1.0
	for i, t := range tags {
		if firstWith(tags, t.Label) < i {
			continue
		}
		if score := labelScore(tags, confidences, t.Label); score > best {
			winner, best = t.Label, score
		}
	}
	for i := range tags {
		if tags[i].Label == winner {
			continue
		}
		tags[i].Label = winner
		if confidences != nil {
			confidences[i] = best
		}
	}
}

func firstWith(tags []Tag, label string) int {
	for i, t := range tags {
		if t.Label == label {
			return i
		}
	}
	return len(tags)
}

func labelScore(tags []Tag, confidences []float64, label string) float64 {
	sum, count := 0.0, 0.0
	for i, t := range tags {
		if t.Label == label {
			count++
			if confidences != nil {
				sum += confidences[i]
			}
		}
	}
	mean, share := round2(sum/count), round2(count/float64(len(tags)))
	if mean+share == 0 {
		return 0
	}
	return round2(2 * mean * share / (mean + share))
}

// round2 rounds to two decimals as Python's round does: exactly, from the binary
// value, ties to even.
func round2(x float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 2, 64), 64)
	return r
}
