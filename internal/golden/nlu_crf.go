package golden

import (
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/crfentity"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/tagger"
	"github.com/loquat-dev/loquat/internal/nludata"
)

type crfRecord struct {
	Kind       string
	ConfigName string `json:"config_name"`
	Config     json.RawMessage
	Text       string
	Tokens     []string
	Features   []map[string]any
	FirstToken []map[string]any `json:"features_role_group_first_token"`
	Entities   []nludata.Entity
	Tags       map[string][]string
}

// crfPatterns are what the recordings were made with, as far as they show.
var crfPatterns = &nludata.TrainingData{
	Regexes: []nludata.Pattern{{Name: "cap", Pattern: `\b[A-Z]\w*`}, {Name: "number", Pattern: `\d+`}, {Name: "zip", Pattern: `\b\d{5}\b`}},
	Lookups: []nludata.Lookup{{Name: "city", Values: []string{"Berlin", "New York", "Rome"}}},
}

// trailingSpace is the one annotation of the recordings that does not end where a
// token does and lies around it: Rasa drops it, ours takes the token.
const trailingSpace = "trailing  space"

func crfFeaturesCheck(dir string) Report {
	report := Report{File: "nlu/crf_features.jsonl"}
	regex, err := trained(regexfeaturizer.Type(), nil, &nlu.TrainingData{Source: crfPatterns})
	if err != nil {
		return fail(report.File, err)
	}
	err = eachRecord(dir, report.File, func(r *crfRecord) {
		name := r.Kind + " " + r.ConfigName + " " + r.Text
		switch r.Kind {
		case "features":
			d := r.compare(regex)
			if d != "" && r.Text == trailingSpace {
				report.listed()
				return
			}
			report.equal(name, d)
		case "config":
			report.equal(name, r.refused())
		case "train_error":
			report.equal(name, r.fails())
		case "training_warnings":
			report.listed() // data validate gives them
		default:
			report.equal(name, "a kind of recording that is not known")
		}
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *crfRecord) message() (*nlu.Message, error) {
	m, err := message(r.Text)
	if err != nil {
		return nil, err
	}
	for _, e := range r.Entities {
		m.Entities = append(m.Entities, nlu.Entity{Entity: e.Entity, Start: e.Start, End: e.End, Role: e.Role, Group: e.Group})
	}
	return m, nil
}

func (r *crfRecord) compare(regex any) string {
	c, err := build(crfentity.Type(), r.Config, nil)
	if err != nil {
		return err.Error()
	}
	m, err := r.message()
	if err != nil {
		return err.Error()
	}
	if err := process(regex, m); err != nil {
		return err.Error()
	}
	tokens := []string{}
	for _, t := range m.Tokens[nlu.Text] {
		tokens = append(tokens, t.Text)
	}
	extractor := c.(*crfentity.Extractor)
	d := diff(r.Tokens, tokens) + diff(r.Features, extractor.Describe(m, nil))
	if r.Tags == nil {
		return d
	}
	got := map[string][]string{}
	var types []nlu.Tag
	for layer, set := range map[int]string{tagger.Entities: "entity", tagger.Roles: "role", tagger.Groups: "group"} {
		tags := tagger.AnnotatedTags(m, layer, "", r.ConfigName != "bilou_off")
		for _, tag := range tags {
			got[set] = append(got[set], tag.String())
		}
		if layer == tagger.Entities {
			types = tags
		}
	}
	return d + diff(r.Tags, got) + diff(r.FirstToken, extractor.Describe(m, types)[:1])
}

// refused compares a configuration that Rasa refuses.
func (r *crfRecord) refused() string {
	t := crfentity.Type()
	var config graph.Config
	if err := unmarshalNumbers(r.Config, (*map[string]any)(&config)); err != nil {
		return err.Error()
	}
	if len(t.Check(graph.Merged(t.Defaults, config))) == 0 {
		return "accepted"
	}
	return ""
}

// fails compares a training that fails in Rasa.
func (r *crfRecord) fails() string {
	source := &nludata.TrainingData{Examples: []nludata.Example{
		{Text: "fly to Rome", Intent: "fly", Entities: []nludata.Entity{{Entity: "city", Start: 7, End: 11, Value: "Rome"}}},
	}}
	data, err := tokenized(nlu.NewTrainingData(source, nlu.Labels{}))
	if err != nil {
		return err.Error()
	}
	if _, err := trained(crfentity.Type(), r.Config, data); err == nil {
		return fmt.Sprintf("trained with %s", r.Config)
	}
	return ""
}
