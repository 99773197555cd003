package golden

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/regexentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/synonyms"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/pystr"
)

type regexEntityRecord struct {
	Set            string
	Config         json.RawMessage
	EntitiesInData []string `json:"entities_in_data"`
	Regexes        []nlu.Pattern
	Lookups        []struct {
		Name     string
		Elements []string
	}
	Patterns []nlu.Pattern
	Results  []struct {
		Text     string
		Entities [][5]any
	}
	TrainError *recordedError `json:"train_error"`
	Note       string
}

func regexEntityCheck(dir string) Report {
	report := Report{File: "nlu/regex_entity.jsonl"}
	err := eachRecord(dir, report.File, func(r *regexEntityRecord) {
		name := r.Set + " " + string(r.Config)
		if r.Note != "" { // no patterns given: one extractor's entities after another's
			report.equal(name, appendsToOthers())
			return
		}
		source := &nludata.TrainingData{}
		for _, p := range r.Regexes {
			source.Regexes = append(source.Regexes, nludata.Pattern{Name: p.Name, Pattern: p.Pattern})
		}
		slices.SortStableFunc(source.Regexes, func(a, b nludata.Pattern) int {
			return strings.Compare(a.Name+a.Pattern, b.Name+b.Pattern)
		})
		for _, l := range r.Lookups {
			source.Lookups = append(source.Lookups, nludata.Lookup{Name: l.Name, Values: l.Elements})
		}
		for _, e := range r.EntitiesInData {
			source.Examples = append(source.Examples, nludata.Example{Entities: []nludata.Entity{{Entity: e}}})
		}
		report.equal(name, r.compare(source))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *regexEntityRecord) compare(source *nludata.TrainingData) string {
	c, err := trained(regexentity.Type(), r.Config, &nlu.TrainingData{Source: source})
	if err != nil || r.TrainError != nil {
		return diff(r.TrainError != nil, err != nil)
	}
	d := diff(append([]nlu.Pattern{}, r.Patterns...), append([]nlu.Pattern{}, c.(*regexentity.Extractor).Patterns()...))
	for _, x := range r.Results {
		m := &nlu.Message{}
		m.Values[nlu.Text] = x.Text
		if err := process(c, m); err != nil {
			return err.Error()
		}
		got := [][5]any{}
		for _, e := range m.Entities {
			got = append(got, [5]any{e.Entity, e.Start, e.End, e.Value, e.Extractor})
		}
		if difference := diff(append([][5]any{}, x.Entities...), got); difference != "" {
			d += fmt.Sprintf("%q: %s", x.Text, difference)
		}
	}
	return d
}

func appendsToOthers() string {
	source := &nludata.TrainingData{
		Regexes:  []nludata.Pattern{{Name: "city", Pattern: "berlin"}},
		Examples: []nludata.Example{{Entities: []nludata.Entity{{Entity: "city"}}}},
	}
	c, err := trained(regexentity.Type(), nil, &nlu.TrainingData{Source: source})
	if err != nil {
		return err.Error()
	}
	m := &nlu.Message{Entities: []nlu.Entity{{Entity: "city", Start: 3, End: 9, Value: "Berlin", Extractor: "DIETClassifier"}}}
	m.Values[nlu.Text] = "to Berlin"
	if err := process(c, m); err != nil {
		return err.Error()
	}
	want := []nlu.Entity{
		{Entity: "city", Start: 3, End: 9, Value: "Berlin", Extractor: "DIETClassifier"},
		{Entity: "city", Start: 3, End: 9, Value: "Berlin", Extractor: "RegexEntityExtractor"},
	}
	return diff(want, m.Entities)
}

type mergingRecord struct {
	Note, Text string
	Before     []map[string]any
	Entities   []map[string]any
}

// mergingOrder says which components ran, by the note of the recording.
var mergingOrder = map[string]string{
	"overlapping patterns of one extractor all stay":           "regex",
	"overlap with an earlier extractor: both stay, no merging": "regex",
	"synonyms change the value, not the span":                  "regex synonyms",
	"only earlier entities are mapped":                         "synonyms regex",
	"same component twice doubles":                             "regex regex",
	"no match: empty list is created":                          "regex",
	"no entities: empty list is created":                       "synonyms",
}

func entityMergingCheck(dir string) Report {
	report := Report{File: "nlu/entity_merging.jsonl"}
	source := &nludata.TrainingData{
		Regexes:  []nludata.Pattern{{Name: "city", Pattern: "ber"}},
		Lookups:  []nludata.Lookup{{Name: "city", Values: []string{"berlin", "new york"}}, {Name: "place", Values: []string{"berlin", "york"}}},
		Examples: []nludata.Example{{Entities: []nludata.Entity{{Entity: "city"}, {Entity: "place"}}, Text: ""}},
		Synonyms: map[string]string{"berlin": "Berlin (DE)", "new york": "NYC"},
	}
	data := &nlu.TrainingData{Source: source}
	regex, err := trained(regexentity.Type(), nil, data)
	if err != nil {
		return fail(report.File, err)
	}
	mapper, err := trained(synonyms.Type(), nil, data)
	if err != nil {
		return fail(report.File, err)
	}
	err = eachRecord(dir, report.File, func(r *mergingRecord) {
		m := &nlu.Message{}
		m.Values[nlu.Text] = r.Text
		for _, e := range r.Before {
			c := e["confidence_entity"].(float64)
			m.Entities = append(m.Entities, nlu.Entity{
				Entity: e["entity"].(string), Start: int(e["start"].(float64)), End: int(e["end"].(float64)),
				Value: e["value"], Extractor: e["extractor"].(string), ConfidenceEntity: &c,
			})
		}
		for _, name := range strings.Fields(mergingOrder[r.Note]) {
			c := map[string]any{"regex": regex, "synonyms": mapper}[name]
			if err := process(c, m); err != nil {
				report.equal(r.Note, err.Error())
				return
			}
		}
		got := m.ParseResult()["entities"].([]any)
		for i := range r.Before {
			// One Python object stands for this entity in all recordings, so that it
			// shows what later runs did to it.
			delete(got[i].(map[string]any), "processors")
			delete(r.Entities[i], "processors")
		}
		report.equal(r.Note, diff(r.Entities, got))
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

type synonymsRecord struct {
	Set         string
	Synonyms    json.RawMessage `json:"synonyms_in_data"`
	Annotations [][4]any
	Table       map[string]string
	Results     []struct {
		Value      json.RawMessage
		New        any
		Processors []string
	}
	After []map[string]any
}

func synonymsCheck(dir string) Report {
	report := Report{File: "nlu/synonyms.jsonl"}
	err := eachRecord(dir, report.File, func(r *synonymsRecord) { report.equal(r.Set, r.compare()) })
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *synonymsRecord) compare() string {
	source := &nludata.TrainingData{Synonyms: map[string]string{}}
	for _, pair := range orderedObject(r.Synonyms) {
		source.Synonyms[pair[0]] = pair[1]
		source.SynonymOrder = append(source.SynonymOrder, pair[0])
	}
	for _, a := range r.Annotations {
		text, part, value := a[0].(string), a[1].(string), a[3]
		if n, ok := value.(float64); ok {
			value = int64(n)
		}
		start := len([]rune(text[:strings.Index(text, part)]))
		source.Examples = append(source.Examples, nludata.Example{Text: text, Entities: []nludata.Entity{
			{Entity: a[2].(string), Start: start, End: start + len([]rune(part)), Value: value},
		}})
	}
	c, err := trained(synonyms.Type(), nil, &nlu.TrainingData{Source: source})
	if err != nil {
		return err.Error()
	}
	d := ""
	if r.Table != nil {
		d = diff(r.Table, c.(*synonyms.Mapper).Table())
	}
	for _, x := range r.Results {
		m := &nlu.Message{Entities: []nlu.Entity{{Value: asWritten(x.Value)}}}
		if err := process(c, m); err != nil {
			return err.Error()
		}
		d += diff([]any{x.New, x.Processors}, []any{m.Entities[0].Value, m.Entities[0].Processors})
	}
	if len(r.After) > 0 {
		m := &nlu.Message{Entities: []nlu.Entity{
			{Entity: "e", Value: "nyc", End: 3, Extractor: "X", Processors: []string{"Other"}},
			{Entity: "e", Value: []any{"nyc"}, End: 3},
			{Entity: "e", Value: nil, End: 3},
			{Entity: "e", Value: map[string]any{"a": int64(1)}, End: 3},
		}}
		if err := process(c, m); err != nil {
			return err.Error()
		}
		d += diff(r.After, m.ParseResult()["entities"])
	}
	return d
}

// asWritten gives a recorded value its type: 4 is whole and 4.0 is not.
func asWritten(data json.RawMessage) any {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return err
	}
	return pystr.Numbers(v)
}

// orderedObject reads a JSON object as pairs in the order of its keys, numbers
// spelled out.
func orderedObject(data []byte) [][2]string {
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var out [][2]string
	if _, err := d.Token(); err != nil {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return out
		}
		var value any
		if err := d.Decode(&value); err != nil {
			return out
		}
		out = append(out, [2]string{key.(string), fmt.Sprint(value)})
	}
	return out
}
