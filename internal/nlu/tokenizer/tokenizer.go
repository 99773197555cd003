// Package tokenizer holds what all tokenizers share: the settings that every one
// has, how labels are cut up, and the pattern that may cut tokens further.
//
// A concrete tokenizer only knows how to split running text.
package tokenizer

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/pyregexp"
)

// Config is what config.yml may set for any tokenizer.
type Config struct {
	IntentTokenizationFlag bool    `json:"intent_tokenization_flag"` // cut labels at the split symbol
	IntentSplitSymbol      string  `json:"intent_split_symbol"`
	TokenPattern           *string `json:"token_pattern"`           // Python regular expression; nil: none
	PrefixSeparatorSymbol  *string `json:"prefix_separator_symbol"` // cut off once, before the split symbol
}

// Defaults are Rasa's.
func Defaults() Config { return Config{IntentSplitSymbol: "_"} }

// Split cuts a text that isn't empty into tokens. Their lemmas are filled in.
type Split func(text string) []nlu.Token

// Tokenizer is a component that gives messages their tokens.
type Tokenizer struct {
	config  Config
	pattern *pyregexp.Regexp // nil: tokens stay as they are
	split   Split
	logger  *slog.Logger
}

// New makes a tokenizer out of a way to split text.
func New(env graph.Env, c Config, split Split) (*Tokenizer, error) {
	t := &Tokenizer{config: c, split: split, logger: env.Logger}
	if c.TokenPattern != nil && *c.TokenPattern != "" {
		var err error
		if t.pattern, err = compilePattern(*c.TokenPattern); err != nil {
			return nil, err
		}
	}
	if c.IntentTokenizationFlag && c.IntentSplitSymbol == "" {
		return nil, fmt.Errorf("intent_split_symbol is empty: labels can't be split by it")
	}
	return t, nil
}

// Check reports what is wrong with a configuration, for graph.Type.Check.
func Check(c graph.Config) []error {
	var config Config
	if err := c.Decode(&config); err != nil {
		return []error{err}
	}
	if _, err := New(graph.Env{}, config, nil); err != nil {
		return []error{err}
	}
	return nil
}

func compilePattern(p string) (*pyregexp.Regexp, error) {
	r, err := pyregexp.Compile(p, 0)
	if err != nil {
		return nil, fmt.Errorf("token_pattern: %w", err)
	}
	if r.Groups() > 1 {
		return nil, fmt.Errorf("token_pattern %q has %d capture groups, at most one can be used: write (?:...) for the others", p, r.Groups())
	}
	return r, nil
}

// ProcessTrainingData gives tokens to every attribute of every message.
func (t *Tokenizer) ProcessTrainingData(ctx context.Context, data *nlu.TrainingData) (*nlu.TrainingData, error) {
	out := &nlu.TrainingData{Source: data.Source, Messages: make([]*nlu.Message, len(data.Messages))}
	for i, m := range data.Messages {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m = m.Clone()
		for a := range nlu.NumAttributes {
			if m.Values[a] == "" {
				continue
			}
			if a == nlu.IntentResponseKey {
				tokens, err := t.responseKey(m.Values[a])
				if err != nil {
					return nil, err
				}
				m.Tokens[a] = tokens
				continue
			}
			m.Tokens[a] = t.tokenize(a, m.Values[a])
		}
		out.Messages[i] = m
	}
	return out, nil
}

// Process gives tokens to the text of every message, and to the label of an
// action where a message stands for one.
func (t *Tokenizer) Process(_ context.Context, messages []*nlu.Message) error {
	for _, m := range messages {
		for a := range nlu.NumAttributes {
			if m.Values[a] != "" || a == nlu.Text && !m.IsLabel() {
				m.Tokens[a] = t.tokenize(a, m.Values[a])
			}
		}
	}
	return nil
}

// tokenize gives the tokens of one attribute at run time.
func (t *Tokenizer) tokenize(a nlu.Attribute, value string) []nlu.Token {
	value = nlu.CleanText(value)
	switch a {
	case nlu.IntentLabel, nlu.ActionName:
		return locate(value, t.labelWords(value))
	case nlu.IntentResponseKey:
		return locate(value, []string{value})
	}
	tokens := t.split(value)
	if t.pattern != nil {
		tokens = t.cut(value, tokens)
	}
	return tokens
}

// labelWords cuts a label into its prefix, if it has one, and its parts.
func (t *Tokenizer) labelWords(label string) []string {
	var words []string
	if p := t.config.PrefixSeparatorSymbol; p != nil && *p != "" {
		if prefix, rest, found := strings.Cut(label, *p); found {
			words, label = t.parts(prefix), rest
		}
	}
	return append(words, t.parts(label)...)
}

func (t *Tokenizer) parts(label string) []string {
	if !t.config.IntentTokenizationFlag {
		return []string{label}
	}
	return strings.Split(label, t.config.IntentSplitSymbol)
}

// responseKey cuts a label such as faq/ask_name at its slash first.
func (t *Tokenizer) responseKey(label string) ([]nlu.Token, error) {
	var words []string
	rest := label
	if p := t.config.PrefixSeparatorSymbol; p != nil && *p != "" {
		if prefix, after, found := strings.Cut(label, *p); found {
			words, rest = t.parts(prefix), after
		}
	}
	base, key, found := strings.Cut(rest, "/")
	if !found || strings.Contains(key, "/") {
		return nil, fmt.Errorf("the response key %q must have the form intent/key after its prefix", label)
	}
	words = append(words, t.parts(base)...)
	return locate(label, append(words, t.parts(key)...)), nil
}

// locate makes tokens of words, each found in the text after the one before.
func locate(text string, words []string) []nlu.Token {
	tokens := make([]nlu.Token, 0, len(words))
	at, offset := 0, 0 // the same place in bytes and in code points
	for _, w := range words {
		if i := strings.Index(text[at:], w); i > 0 {
			offset += utf8.RuneCountInString(text[at : at+i])
			at += i
		}
		end := offset + utf8.RuneCountInString(w)
		tokens = append(tokens, nlu.Token{Text: w, Start: offset, End: end, Lemma: w})
		at, offset = at+len(w), end
	}
	return tokens
}

// cut replaces each token of a text by what the pattern finds in it. A token
// without a match stays as it is, as does one for which there is no time; pieces
// keep the lemma and data of the whole.
func (t *Tokenizer) cut(value string, tokens []nlu.Token) []nlu.Token {
	out := make([]nlu.Token, 0, len(tokens))
	whole, stopped := pyregexp.NewText(value), 0
	for _, token := range tokens {
		text := whole.Part(token.Text)
		spans, err := t.pattern.FindAll(text, t.pattern.Groups())
		if err != nil {
			stopped++
			out = append(out, token)
			continue
		}
		before := len(out)
		for _, s := range spans {
			if s.End > s.Start {
				piece := token
				piece.Text = text.Cut(s)
				piece.Start, piece.End = token.Start+s.Start, token.Start+s.End
				out = append(out, piece)
			}
		}
		if len(out) == before {
			out = append(out, token)
		}
	}
	if stopped > 0 {
		t.logger.Warn("the token_pattern was stopped: some tokens stay whole",
			"pattern", t.pattern.String(), "tokens", stopped, "err", pyregexp.ErrTimeLimit)
	}
	return out
}
