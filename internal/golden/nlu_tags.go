package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
)

// diffNumbers is diff for values with numbers whose last digits may differ.
func diffNumbers(want, got any) string {
	return cmp.Diff(asJSON(want), asJSON(got), cmpopts.EquateApprox(0, 1e-9), cmpopts.EquateEmpty())
}

func parseTags(tags []string) []nlu.Tag {
	var out []nlu.Tag
	for _, s := range tags {
		out = append(out, nlu.ParseTag(s))
	}
	return out
}

// entitiesOf gives entities as they are recorded: with the extractor's name only
// where an extractor ran.
func entitiesOf(entities []nlu.Entity, extractor string) []any {
	m := &nlu.Message{Entities: entities}
	for i := range m.Entities {
		m.Entities[i].Extractor = extractor
	}
	return m.ParseResult()["entities"].([]any)
}

type bilouRecord struct {
	Tags           []string
	Confidences    []float64
	OutTags        []string  `json:"out_tags"`
	OutConfidences []float64 `json:"out_confidences"`
}

func bilouCheck(dir string) Report {
	report := Report{File: "nlu/bilou_repair.jsonl"}
	err := eachRecord(dir, report.File, func(r *bilouRecord) {
		tags := parseTags(r.Tags)
		nlu.RepairBILOU(tags, r.Confidences)
		got := []string{}
		for _, tag := range tags {
			got = append(got, tag.String())
		}
		report.equal(fmt.Sprint(r.Tags), diffNumbers([]any{r.OutTags, r.OutConfidences}, []any{got, r.Confidences}))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

type tagsRecord struct {
	Text   string
	Tokens [][3]any
	Tags   struct {
		Entity, Role, Group []string
	}
	Confidences struct {
		Entity, Role, Group []float64
	}
	Split    nlu.CommaSplit `json:"split_entities_by_comma"`
	Entities []any
}

func tagsCheck(dir string) Report {
	report := Report{File: "nlu/tags_to_entities.jsonl"}
	err := eachRecord(dir, report.File, func(r *tagsRecord) {
		var tokens []nlu.Token
		for _, t := range r.Tokens {
			tokens = append(tokens, nlu.Token{Text: t[0].(string), Start: int(t[1].(float64)), End: int(t[2].(float64))})
		}
		got := nlu.Entities(r.Text, tokens, nlu.TagLayers{
			Entity: nlu.TokenTags{Tags: parseTags(r.Tags.Entity), Confidence: r.Confidences.Entity},
			Role:   nlu.TokenTags{Tags: parseTags(r.Tags.Role), Confidence: r.Confidences.Role},
			Group:  nlu.TokenTags{Tags: parseTags(r.Tags.Group), Confidence: r.Confidences.Group},
		}, r.Split)
		report.equal(fmt.Sprintf("%q %v", r.Text, r.Tags), diffNumbers(r.Entities, entitiesOf(got, "")))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

// marginal is the probability of each tag, in the order of the recording, which
// decides between equals.
type marginal struct {
	tags []nlu.Tag
	p    []float64
}

func (m *marginal) UnmarshalJSON(data []byte) error {
	for _, pair := range orderedObject(bytes.TrimSpace(data)) {
		var p float64
		if err := json.Unmarshal([]byte(pair[1]), &p); err != nil || math.IsNaN(p) {
			return fmt.Errorf("probability %q: %w", pair[1], err)
		}
		m.tags, m.p = append(m.tags, nlu.ParseTag(pair[0])), append(m.p, p)
	}
	return nil
}

type marginalsRecord struct {
	Note   string
	Config struct {
		BILOU *bool           `json:"BILOU_flag"`
		Split *nlu.CommaSplit `json:"split_entities_by_comma"`
	}
	Text      string
	Marginals struct{ Entity, Role, Group []marginal }
	Entities  []any
}

// marginalsCheck compares the step from probabilities to entities.
func marginalsCheck(dir string) Report {
	report := Report{File: "nlu/crf_decoding.jsonl"}
	err := eachRecord(dir, report.File, func(r *marginalsRecord) {
		decide := func(ms []marginal) (t nlu.TokenTags) {
			for _, m := range ms {
				tag, c := nlu.TagFromMarginals(m.tags, m.p)
				t.Tags, t.Confidence = append(t.Tags, tag), append(t.Confidence, c)
			}
			if r.Config.BILOU == nil || *r.Config.BILOU {
				nlu.RepairBILOU(t.Tags, t.Confidence)
			}
			return t
		}
		split := nlu.CommaSplit{Default: true}
		if r.Config.Split != nil {
			split = *r.Config.Split
		}
		layers := nlu.TagLayers{Entity: decide(r.Marginals.Entity), Role: decide(r.Marginals.Role), Group: decide(r.Marginals.Group)}
		got := nlu.Entities(r.Text, whitespace.Split(r.Text), layers, split)
		report.equal(r.Note, diffNumbers(r.Entities, entitiesOf(got, "CRFEntityExtractor")))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}
