package countvectors

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/graph"
)

// Config is what config.yml may set for CountVectorsFeaturizer.
type Config struct {
	Alias *string `json:"alias"`

	Analyzer string `json:"analyzer"`  // "word", "char" or "char_wb"
	MinNgram int    `json:"min_ngram"` // shortest and longest n-gram, in analyzer units
	MaxNgram int    `json:"max_ngram"`

	Lowercase    bool      `json:"lowercase"`
	StripAccents *string   `json:"strip_accents"` // "ascii", "unicode" or nil
	StopWords    stopWords `json:"stop_words"`    // words only

	MinDF       frequency `json:"min_df"`       // of the texts; other attributes keep everything
	MaxDF       frequency `json:"max_df"`       // rarer than or equal
	MaxFeatures *int      `json:"max_features"` // keep the most frequent

	OOVToken *string  `json:"OOV_token"` // stands for unknown words; words only
	OOVWords []string `json:"OOV_words"` // taken for unknown in training

	UseSharedVocab bool `json:"use_shared_vocab"` // one vocabulary for all attributes
	UseLemma       bool `json:"use_lemma"`
}

func defaults() Config {
	return Config{
		Analyzer: "word", MinNgram: 1, MaxNgram: 1, Lowercase: true,
		MinDF: "1", MaxDF: "1.0", OOVWords: []string{}, UseLemma: true,
	}
}

// check reports what is wrong with the settings, one error each.
func (c Config) check() []error {
	var errs []error
	report := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	switch c.Analyzer {
	case "word", "char", "char_wb":
	default:
		report(true, "analyzer: %q is not one of word, char, char_wb", c.Analyzer)
	}
	report(c.MinNgram < 1, "min_ngram: %d is less than 1", c.MinNgram)
	report(c.MaxNgram < c.MinNgram, "max_ngram: %d is less than min_ngram, %d", c.MaxNgram, c.MinNgram)
	if s := c.StripAccents; s != nil {
		report(*s != "ascii" && *s != "unicode", "strip_accents: %q is not one of ascii, unicode", *s)
	}
	report(c.MaxFeatures != nil && *c.MaxFeatures < 1, "max_features: must be positive")
	report(!c.MinDF.valid(), "min_df: %s is neither a count nor a proportion between 0.0 and 1.0", c.MinDF)
	report(!c.MaxDF.valid(), "max_df: %s is neither a count nor a proportion between 0.0 and 1.0", c.MaxDF)
	return errs
}

// withoutEffect names the settings that mean nothing beside the others: unknown
// words and stop words exist for whole words only, and OOV_words stand for a token.
func (c Config) withoutEffect() []string {
	var names []string
	if c.Analyzer != "word" {
		if c.OOVToken != nil {
			names = append(names, "OOV_token")
		}
		if c.StopWords.set() != nil {
			names = append(names, "stop_words")
		}
	}
	if len(c.OOVWords) > 0 && (c.OOVToken == nil || c.Analyzer != "word") {
		names = append(names, "OOV_words")
	}
	return names
}

func check(config graph.Config) []error {
	c := defaults()
	if err := config.Decode(&c); err != nil {
		return []error{err}
	}
	return c.check()
}

// frequency is how often something must occur: a whole number counts texts, one
// with a decimal point is a share of them.
type frequency string

func (f frequency) MarshalJSON() ([]byte, error) { return []byte(f), nil }

func (f *frequency) UnmarshalJSON(data []byte) error {
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return errors.New("min_df and max_df must be numbers")
	}
	*f = frequency(n)
	return nil
}

func (f frequency) isShare() bool { return strings.ContainsAny(string(f), ".eE") }

func (f frequency) number() float64 {
	n, _ := strconv.ParseFloat(string(f), 64) // a JSON number, so it parses
	return n
}

func (f frequency) valid() bool {
	return f.number() >= 0 && (!f.isShare() || f.number() <= 1) && (f.isShare() || f.number() >= 1)
}

// of gives the number of texts that the frequency means.
func (f frequency) of(texts int) float64 {
	if f.isShare() {
		return f.number() * float64(texts)
	}
	return f.number()
}

// stopWords is "english", a list of words, or nothing.
type stopWords struct {
	named string
	list  []string
}

func (s stopWords) MarshalJSON() ([]byte, error) {
	switch {
	case s.named != "":
		return json.Marshal(s.named)
	case s.list != nil:
		return json.Marshal(s.list)
	default:
		return []byte("null"), nil
	}
}

func (s *stopWords) UnmarshalJSON(data []byte) error {
	*s = stopWords{}
	if string(data) == "null" || json.Unmarshal(data, &s.list) == nil {
		return nil
	}
	if json.Unmarshal(data, &s.named) == nil && s.named == "english" {
		return nil
	}
	return errors.New(`stop_words must be "english", a list of words, or null`)
}

func (s stopWords) set() map[string]bool {
	words := s.list
	if s.named == "english" {
		words = strings.Fields(englishStopWords)
	}
	if len(words) == 0 {
		return nil
	}
	set := make(map[string]bool, len(words))
	for _, w := range words {
		set[w] = true
	}
	return set
}
