// Package nludata holds NLU training data: examples with their annotations,
// synonyms, regular expressions, lookup tables and retrieval responses.
package nludata

import (
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// TrainingData is the NLU data of a project, merged in path order.
type TrainingData struct {
	Examples []Example
	Synonyms map[string]string // surface form → canonical value
	// SynonymOrder lists the keys of Synonyms in the order of their first
	// definition, which decides between forms that differ in case alone.
	SynonymOrder []string
	Regexes      []Pattern // sorted by name+pattern
	Lookups      []Lookup  // in file order, one for each name and file
	Responses    map[string][]Response
}

// SynonymForms returns the keys of Synonyms, those of SynonymOrder first and
// others in alphabetical order.
func (d *TrainingData) SynonymForms() []string {
	forms := make([]string, 0, len(d.Synonyms))
	listed := make(map[string]bool, len(d.SynonymOrder))
	for _, form := range d.SynonymOrder {
		if _, ok := d.Synonyms[form]; ok && !listed[form] {
			listed[form] = true
			forms = append(forms, form)
		}
	}
	rest := len(forms)
	for form := range d.Synonyms {
		if !listed[form] {
			forms = append(forms, form)
		}
	}
	slices.Sort(forms[rest:])
	return forms
}

// Example is one annotated text.
type Example struct {
	Text              string // without markup
	Intent            string // "faq" for faq/ask_name; "" when there is none
	IntentResponseKey string // "faq/ask_name"; "" for ordinary intents
	// Response is the label text for response selection (see nlu.md §2.2 of the
	// contract: the text of the last variation that has one); "" if none.
	Response string
	Entities []Entity
	Metadata map[string]any // {"intent": …, "example": …}; nil if none
	Pos      diag.Position  `json:"-"`
}

// Entity is one annotation. Start and End are code point offsets of Text.
type Entity struct {
	Start, End int
	Entity     string
	Role       string
	Group      string
	Value      any // a string, or a number where the annotation says so
}

// Pattern is one regular expression in Python's dialect.
type Pattern struct {
	Name    string
	Pattern string
	Pos     diag.Position `json:"-"`
}

// Lookup is a table of literal values.
type Lookup struct {
	Name   string
	Values []string
	// File holds the values, one on each line, where JSON names a file instead of
	// them; "" once they are read.
	File string        `json:",omitempty"`
	Pos  diag.Position `json:"-"`
}

// Response is one variation of a retrieval response in NLU files; its content is
// that of domain responses.
type Response struct {
	Text    string
	HasText bool
	Node    *yamlfile.Node // the variation as written
	Pos     diag.Position  `json:"-"`
}
