// Package nlu is the contract of components that understand text: what a
// message is, what it gains on its way through a pipeline, and what tokenizers,
// featurizers, classifiers and extractors promise.
//
// All offsets are Unicode code points of the text, as in Rasa.
package nlu

import "github.com/loquat-dev/loquat/internal/ml/sparse"

// Attribute names a text of a message that can be tokenized and featurized.
type Attribute int

// The attributes of a message.
const (
	Text Attribute = iota
	IntentLabel
	ResponseText
	IntentResponseKey
	ActionName
	ActionText
	NumAttributes
)

var attributeNames = [...]string{"text", "intent", "response", "intent_response_key", "action_name", "action_text"}

// String gives Rasa's name of the attribute.
func (a Attribute) String() string { return attributeNames[a] }

// Message is one text with everything that components have found out about it.
//
// In training it carries its labels from the start. At prediction it enters with
// its text alone and components add to it. A message belongs to one pipeline run
// and is not safe for concurrent use; training nodes that add something work on
// a Clone.
type Message struct {
	Values [NumAttributes]string // "" means that the attribute is absent

	MessageID string
	Metadata  map[string]any
	TimeMilli int64 // when it arrived, in ms since 1970; 0 if unknown

	Tokens   [NumAttributes][]Token
	Features []Features

	// Intent is nil until a classifier has set it. In training it is the label.
	Intent  *Intent
	Ranking []Intent // nil unless a component produced one
	// RankingHidden keeps the ranking out of the parse result.
	RankingHidden bool
	// Entities are annotations in training, and what extractors found otherwise.
	Entities []Entity
	// Selector is the response_selector object of the parse result; nil if no
	// ResponseSelector ran.
	Selector map[string]any
	// Decided is set by the handler of intent messages ("/greet"): such a message
	// shows no tokens and no selector.
	Decided bool
}

// IsLabel reports whether the message stands for an action or a label rather
// than for something a user said.
func (m *Message) IsLabel() bool {
	for a := Text + 1; a < NumAttributes; a++ {
		if m.Values[a] != "" {
			return m.Values[Text] == ""
		}
	}
	return false
}

// Clone returns a copy that can gain tokens, features and entities without
// changing m. Features and tokens themselves are shared: they are never changed
// after they were added.
func (m *Message) Clone() *Message {
	c := *m
	c.Features = m.Features[:len(m.Features):len(m.Features)]
	c.Entities = m.Entities[:len(m.Entities):len(m.Entities)]
	c.Ranking = m.Ranking[:len(m.Ranking):len(m.Ranking)]
	return &c
}

// Token is one word of an attribute.
type Token struct {
	Text       string
	Start, End int
	Lemma      string // the text itself unless the tokenizer knows better
	POS        string // part of speech; "" unless the tokenizer knows it
	// Patterns tells for each pattern name of the RegexFeaturizer whether the
	// token matched; nil if none ran.
	Patterns map[string]bool
}

// Intent is a predicted or annotated intent. An empty Name is Rasa's null.
type Intent struct {
	Name       string
	Confidence float64
	// FullRetrievalName is full_retrieval_intent_name. It is part of the result
	// only when HasFullRetrievalName is set, and null when it is "".
	FullRetrievalName    string
	HasFullRetrievalName bool
}

// Entity is one entity of a message.
type Entity struct {
	Entity     string
	Start, End int
	Role       string
	Group      string
	Value      any
	Extractor  string
	Processors []string
	// The confidences are nil where an extractor gives none.
	ConfidenceEntity *float64
	ConfidenceRole   *float64
	ConfidenceGroup  *float64
	// Extra holds further keys of the result, such as Duckling's additional_info.
	Extra map[string]any
}

// Level says whether features describe each token or the whole text.
type Level int

// The levels of features.
const (
	Sequence Level = iota // one row per token
	Sentence              // one row
)

// Features are the numbers that one featurizer gives one attribute. Either
// Sparse or Dense is set. They are never changed once they are on a message.
type Features struct {
	Attribute Attribute
	Level     Level
	Origin    string         // alias of the component, or its node name
	Sparse    *sparse.Matrix // [tokens or 1, width]
	Dense     [][]float32    // [tokens or 1][width]
}

// Select returns the features of one attribute and level in pipeline order,
// restricted to the given origins unless there are none.
func (m *Message) Select(a Attribute, l Level, origins []string) []Features {
	var out []Features
	for _, f := range m.Features {
		if f.Attribute == a && f.Level == l && (len(origins) == 0 || contains(origins, f.Origin)) {
			out = append(out, f)
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
