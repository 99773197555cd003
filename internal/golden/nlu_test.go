package golden

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/dialogue/memoization"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/fallback"
	"github.com/loquat-dev/loquat/internal/nlu/classifier/keyword"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/crfentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/duckling"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/regexentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/synonyms"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/countvectors"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/lexicalsyntactic"
	"github.com/loquat-dev/loquat/internal/nlu/featurizer/regexfeaturizer"
	"github.com/loquat-dev/loquat/internal/nlu/selector"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/jieba"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func TestNLU(t *testing.T) {
	dir := sharedtest.Dir(t, "data", "golden")
	for _, c := range NLU() {
		t.Run(c.File, func(t *testing.T) {
			if r := c.Run(dir); !r.OK() {
				t.Error(r)
			} else {
				t.Log(r)
			}
		})
	}
}

func TestComponentsDescribeThemselvesAsRasas(t *testing.T) {
	var recorded struct {
		Components map[string]struct {
			ClassPath    string         `json:"class_path"`
			Defaults     map[string]any `json:"default_config"`
			NotLanguages []string       `json:"not_supported_languages"`
			Languages    []string       `json:"supported_languages"`
			Requires     []string       `json:"required_components"`
			Packages     []string       `json:"required_packages"`
			Trainable    bool
			Types        []graph.Kind
			ModelFrom    *string `json:"model_from"`
		}
	}
	if err := load(sharedtest.Dir(t, "data", "golden"), "project/component_defaults.json", &recorded); err != nil {
		t.Fatal(err)
	}
	for _, c := range []graph.Type{
		jieba.Type(), whitespace.Type(), countvectors.Type(), lexicalsyntactic.Type(), regexfeaturizer.Type(), crfentity.Type(),
		keyword.Type(), fallback.Type(), duckling.Type(duckling.Settings{}), selector.Type(), regexentity.Type(), synonyms.Type(),
		rule.Type(), memoization.Type(), memoization.AugmentedType(),
	} {
		want := recorded.Components[c.Name]
		got := want
		got.ClassPath, got.Defaults, got.Trainable, got.Types = c.ClassPath, map[string]any(c.Defaults), c.Trainable, c.Kinds
		got.NotLanguages, got.Languages = c.NotLanguages, c.Languages
		got.Requires, got.Packages = append([]string{}, c.Requires...), append([]string{}, c.Packages...)
		if d := diff(want, got); d != "" {
			t.Errorf("%s: %s", c.Name, d)
		}
	}
}
