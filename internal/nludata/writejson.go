package nludata

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The JSON format, as Rasa 3.6 writes it.
type (
	jsonFile struct {
		Data jsonData `json:"rasa_nlu_data"`
	}
	jsonData struct {
		Examples []jsonExample `json:"common_examples"`
		Regexes  []jsonRegex   `json:"regex_features"`
		Lookups  []jsonLookup  `json:"lookup_tables"`
		Synonyms []jsonSynonym `json:"entity_synonyms"`
	}
	jsonExample struct {
		Text     string          `json:"text"`
		Intent   string          `json:"intent,omitempty"`
		Entities []writtenEntity `json:"entities,omitempty"`
		Metadata map[string]any  `json:"metadata,omitempty"`
	}
	writtenEntity struct {
		Start  int    `json:"start"`
		End    int    `json:"end"`
		Value  any    `json:"value"`
		Entity string `json:"entity"`
		Role   string `json:"role,omitempty"`
		Group  string `json:"group,omitempty"`
	}
	jsonRegex struct {
		Name    string `json:"name"`
		Pattern string `json:"pattern"`
	}
	jsonLookup struct {
		Name     string   `json:"name"`
		Elements []string `json:"elements"`
	}
	jsonSynonym struct {
		Value    string   `json:"value"`
		Synonyms []string `json:"synonyms"`
	}
)

// JSON writes the training data in the format that ReadJSON reads, which has no
// place for responses.
func (d *TrainingData) JSON() ([]byte, error) {
	out := jsonData{Examples: []jsonExample{}, Regexes: []jsonRegex{}, Lookups: []jsonLookup{}, Synonyms: []jsonSynonym{}}
	for i := range d.Examples {
		e := &d.Examples[i]
		written := jsonExample{Text: e.Text, Intent: e.Label(), Metadata: e.Metadata}
		for _, n := range e.Entities {
			written.Entities = append(written.Entities, writtenEntity{n.Start, n.End, n.Value, n.Entity, n.Role, n.Group})
		}
		out.Examples = append(out.Examples, written)
	}
	for _, r := range d.Regexes {
		out.Regexes = append(out.Regexes, jsonRegex{r.Name, r.Pattern})
	}
	for _, l := range d.Lookups {
		out.Lookups = append(out.Lookups, jsonLookup{l.Name, l.Values})
	}
	places := map[string]int{}
	for _, form := range d.SynonymForms() {
		value := d.Synonyms[form]
		i, known := places[value]
		if !known {
			i = len(out.Synonyms)
			places[value] = i
			out.Synonyms = append(out.Synonyms, jsonSynonym{Value: value})
		}
		out.Synonyms[i].Synonyms = append(out.Synonyms[i].Synonyms, form)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(jsonFile{out}); err != nil {
		return nil, fmt.Errorf("write NLU data: %w", err)
	}
	return b.Bytes(), nil
}
