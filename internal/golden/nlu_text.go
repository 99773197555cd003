package golden

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/jieba"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/pystr"
)

// unmarshalNumbers is json.Unmarshal with int64 for whole numbers.
func unmarshalNumbers(data []byte, into *map[string]any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	*into = pystr.Numbers(*into).(map[string]any)
	return nil
}

type tokenizerRecord struct {
	Tokenizer, Group, Attribute, Call, Text string
	Config                                  json.RawMessage
	Tokens                                  [][3]any
	Lemmas                                  []string
	Error                                   *recordedError
}

func tokenizerCheck(dir string) Report {
	report := Report{File: "nlu/tokenizer.jsonl"}
	err := eachRecord(dir, report.File, func(r *tokenizerRecord) {
		if r.refusedTokenPattern() {
			report.listed() // refused when it is read, not on the first text that it matches
			return
		}
		report.equal(fmt.Sprintf("%s %s %s %s %q", r.Tokenizer, r.Attribute, r.Call, r.Config, r.Text), r.compare())
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *tokenizerRecord) refusedTokenPattern() bool {
	_, err := r.build()
	return err != nil
}

func (r *tokenizerRecord) build() (any, error) {
	if r.Tokenizer == "JiebaTokenizer" {
		return build(jieba.Type(), r.Config, nil)
	}
	return build(whitespace.Type(), r.Config, nil)
}

func (r *tokenizerRecord) compare() string {
	tokens, err := r.tokenize()
	if (err != nil) != (r.Error != nil) {
		return fmt.Sprintf("error %v, want %v", err, r.Error)
	}
	var got [][3]any
	if tokens != nil { // none is recorded as an empty list
		got = [][3]any{}
	}
	lemmas := map[int]string{}
	for i, t := range tokens {
		got = append(got, [3]any{t.Text, t.Start, t.End})
		if t.Lemma != t.Text {
			lemmas[i] = t.Lemma
		}
	}
	for i, lemma := range r.Lemmas {
		if i < len(tokens) && lemma == tokens[i].Lemma {
			delete(lemmas, i)
		} else {
			return fmt.Sprintf("lemma %d: want %q", i, lemma)
		}
	}
	if len(lemmas) > 0 {
		return fmt.Sprintf("unexpected lemmas %v", lemmas)
	}
	return diff(r.Tokens, got)
}

func (r *tokenizerRecord) tokenize() ([]nlu.Token, error) {
	c, err := r.build()
	if err != nil {
		return nil, err
	}
	m, a := &nlu.Message{}, nlu.Text
	for a.String() != r.Attribute {
		a++
	}
	m.Values[a] = r.Text
	if r.Call == "process" {
		err := process(c, m)
		return m.Tokens[a], err
	}
	data := &nlu.TrainingData{Messages: []*nlu.Message{m}}
	data, err = c.(nlu.TrainingProcessor).ProcessTrainingData(context.Background(), data)
	if err != nil {
		return nil, err
	}
	return data.Messages[0].Tokens[a], nil
}

type lemmaRecord struct {
	UseLemma   bool `json:"use_lemma"`
	Analyzer   string
	Training   [][][2]string
	Vocabulary []string
	Tokens     [][2]string `json:"tokens_and_lemmas"`
	Sequence   []map[string]float64
}

func lemmaCheck(dir string) Report {
	report := Report{File: "nlu/features_lemma.jsonl"}
	err := eachRecord(dir, report.File, func(r *lemmaRecord) {
		report.equal(fmt.Sprint(r.Analyzer, r.UseLemma, r.Tokens), r.compare())
	})
	if err != nil {
		return fail(report.File, err)
	}
	return report
}

func (r *lemmaRecord) compare() string {
	longest := map[string]int{"word": 1, "char_wb": 2}[r.Analyzer] // as it was recorded
	config, _ := json.Marshal(map[string]any{"use_lemma": r.UseLemma, "analyzer": r.Analyzer, "max_ngram": longest})
	data := &nlu.TrainingData{}
	for _, example := range r.Training {
		data.Messages = append(data.Messages, withLemmas(example))
	}
	c, err := trained(countvectors.Type(), config, data)
	if err != nil {
		return err.Error()
	}
	f := c.(*countvectors.Featurizer)
	if d := diff(r.Vocabulary, inOrder(f.Vocabulary(nlu.Text))); d != "" {
		return d
	}
	m := withLemmas(r.Tokens)
	if err := process(f, m); err != nil {
		return err.Error()
	}
	return diff(r.Sequence, named(f.Vocabulary(nlu.Text), m.Features[0].Sparse))
}

func withLemmas(tokens [][2]string) *nlu.Message {
	m := &nlu.Message{}
	m.Values[nlu.Text] = "given as tokens"
	for _, t := range tokens {
		m.Tokens[nlu.Text] = append(m.Tokens[nlu.Text], nlu.Token{Text: t[0], Lemma: t[1]})
	}
	return m
}
