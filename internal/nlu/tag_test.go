package nlu_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// records calls check for every line of a recording of the original's behaviour.
func records[T any](t *testing.T, file string, check func(t *testing.T, r T)) {
	f, err := os.Open(sharedtest.Dir(t, "data", "golden", "nlu", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r T
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		check(t, r)
		if t.Failed() {
			t.Fatalf("record: %s", lines.Bytes())
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func parseTags(tags []string) []nlu.Tag {
	var out []nlu.Tag
	for _, s := range tags {
		out = append(out, nlu.ParseTag(s))
	}
	return out
}

var close2 = cmpopts.EquateApprox(0, 1e-9)

func TestBILOURepairAsRecorded(t *testing.T) {
	type record struct {
		Tags           []string  `json:"tags"`
		Confidences    []float64 `json:"confidences"`
		OutTags        []string  `json:"out_tags"`
		OutConfidences []float64 `json:"out_confidences"`
	}
	records(t, "bilou_repair.jsonl", func(t *testing.T, r record) {
		tags := parseTags(r.Tags)
		nlu.RepairBILOU(tags, r.Confidences)
		var got []string
		for _, tag := range tags {
			got = append(got, tag.String())
		}
		if d := cmp.Diff(r.OutTags, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("tags (-want +got):\n%s", d)
		}
		if d := cmp.Diff(r.OutConfidences, r.Confidences, close2); d != "" {
			t.Errorf("confidences (-want +got):\n%s", d)
		}
	})
}

type entityRecord struct {
	Entity          string   `json:"entity"`
	Start           int      `json:"start"`
	End             int      `json:"end"`
	Role            string   `json:"role"`
	Group           string   `json:"group"`
	Value           any      `json:"value"`
	ConfidenceType  *float64 `json:"confidence_entity"`
	ConfidenceRole  *float64 `json:"confidence_role"`
	ConfidenceGroup *float64 `json:"confidence_group"`
}

func entityRecords(entities []nlu.Entity) []entityRecord {
	var out []entityRecord
	for _, e := range entities {
		out = append(out, entityRecord{e.Entity, e.Start, e.End, e.Role, e.Group, e.Value, e.ConfidenceEntity, e.ConfidenceRole, e.ConfidenceGroup})
	}
	return out
}

type tokenRecord [3]any

func tokensOf(rs []tokenRecord) []nlu.Token {
	var out []nlu.Token
	for _, r := range rs {
		out = append(out, nlu.Token{Text: r[0].(string), Start: int(r[1].(float64)), End: int(r[2].(float64))})
	}
	return out
}

func TestTagsBecomeEntitiesAsRecorded(t *testing.T) {
	type record struct {
		Text   string        `json:"text"`
		Tokens []tokenRecord `json:"tokens"`
		Tags   struct {
			Entity, Role, Group []string
		} `json:"tags"`
		Confidences struct {
			Entity, Role, Group []float64
		} `json:"confidences"`
		Split    nlu.CommaSplit `json:"split_entities_by_comma"`
		Entities []entityRecord `json:"entities"`
	}
	records(t, "tags_to_entities.jsonl", func(t *testing.T, r record) {
		got := nlu.Entities(r.Text, tokensOf(r.Tokens), nlu.TagLayers{
			Entity: nlu.TokenTags{Tags: parseTags(r.Tags.Entity), Confidence: r.Confidences.Entity},
			Role:   nlu.TokenTags{Tags: parseTags(r.Tags.Role), Confidence: r.Confidences.Role},
			Group:  nlu.TokenTags{Tags: parseTags(r.Tags.Group), Confidence: r.Confidences.Group},
		}, r.Split)
		if d := cmp.Diff(r.Entities, entityRecords(got), close2, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("entities (-want +got):\n%s", d)
		}
	})
}

// marginal keeps the order of a JSON object, which decides between equals.
type marginal struct {
	tags []nlu.Tag
	p    []float64
}

func (m *marginal) UnmarshalJSON(data []byte) error {
	var values map[string]float64
	if err := json.Unmarshal(data, &values); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.Token()
		if err != nil {
			return nil // the end: json.Unmarshal has checked the rest
		}
		if s, ok := token.(string); ok {
			m.tags = append(m.tags, nlu.ParseTag(s))
			m.p = append(m.p, values[s])
		}
	}
}

func TestMarginalsBecomeEntitiesAsRecorded(t *testing.T) {
	type record struct {
		Config struct {
			BILOU *bool           `json:"BILOU_flag"`
			Split *nlu.CommaSplit `json:"split_entities_by_comma"`
		} `json:"config"`
		Text      string `json:"text"`
		Marginals struct {
			Entity, Role, Group []marginal
		} `json:"marginals"`
		Entities []entityRecord `json:"entities"`
	}
	records(t, "crf_decoding.jsonl", func(t *testing.T, r record) {
		decide := func(ms []marginal) nlu.TokenTags {
			var tt nlu.TokenTags
			for _, m := range ms {
				tag, c := nlu.TagFromMarginals(m.tags, m.p)
				tt.Tags, tt.Confidence = append(tt.Tags, tag), append(tt.Confidence, c)
			}
			if r.Config.BILOU == nil || *r.Config.BILOU {
				nlu.RepairBILOU(tt.Tags, tt.Confidence)
			}
			return tt
		}
		split := nlu.CommaSplit{Default: true}
		if r.Config.Split != nil {
			split = *r.Config.Split
		}
		layers := nlu.TagLayers{Entity: decide(r.Marginals.Entity), Role: decide(r.Marginals.Role), Group: decide(r.Marginals.Group)}
		got := nlu.Entities(r.Text, plainTokens(r.Text), layers, split)
		if d := cmp.Diff(r.Entities, entityRecords(got), close2, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("entities (-want +got):\n%s", d)
		}
	})
}

func TestSpanTags(t *testing.T) {
	got := nlu.SpanTags([]string{"", "a", "a", "a", "a", "b", "a"}, []int{0, 1, 1, 1, 2, 3, 4}, true)
	want := parseTags([]string{"O", "B-a", "I-a", "L-a", "U-a", "U-b", "U-a"})
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}
