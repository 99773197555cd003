package recipe_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// judge reads a configuration and checks all that can be checked.
func judge(text string, o recipe.Options) (*recipe.Graphs, []string) {
	var problems diag.List
	types := app.Catalog()
	c := project.ParseConfig(yamlfile.Parse([]byte(text), "config.yml", &problems), "config.yml", &problems)
	completed, _ := recipe.Complete(c, o.Type, &problems)
	g := recipe.Build(completed, types, o, &problems)
	recipe.Validate(completed, types, &problems)
	recipe.CheckBuilt(g, types, &problems)
	var lines []string
	for _, p := range problems.All() {
		p.Hint = ""
		lines = append(lines, p.Error())
	}
	return g, lines
}

const head = "recipe: default.v1\nassistant_id: a\nlanguage: en\n"

func TestWhatIsWrongWithAConfiguration(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"nothing", head + "pipeline:\n- name: WhitespaceTokenizer\npolicies: []\n", nil},
		{"no recipe", "language: en\npipeline: []\npolicies: []\n", []string{
			"config.yml: warning: the configuration names no recipe; default.v1 is assumed [no-recipe]",
		}},
		{"another recipe", "recipe: default.v2\npipeline: []\npolicies: []\n", []string{
			`config.yml:1:9: there is no recipe "default.v2" [unknown-recipe]`,
		}},
		{"unknown components", head + "pipeline:\n- name: WhitespaceTokeniser\n- name: my.Extractor\npolicies:\n- name: RulePolice\n", []string{
			`config.yml:5:9: there is no component "WhitespaceTokeniser" [unknown-component]`,
			`config.yml:6:9: the component "my.Extractor" is a Python class, which can't run here [python-class]`,
			`config.yml:8:9: there is no component "RulePolice" [unknown-component]`,
		}},
		{"of Rasa, and not there", head + "pipeline: []\npolicies:\n- name: rasa.core.policies.flow_policy.FlowPolicy\n- name: KerasPolicy\n", []string{
			`config.yml:6:9: there is no component "rasa.core.policies.flow_policy.FlowPolicy" [unknown-component]`,
			`config.yml:7:9: there is no component "KerasPolicy" [unknown-component]`,
		}},
		{"Rasa's own path", head + "pipeline:\n- name: rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer\npolicies: []\n", nil},
		{"misplaced", head + "pipeline:\n- name: RulePolicy\npolicies:\n- name: WhitespaceTokenizer\n", []string{
			`config.yml:5:9: the policy "RulePolicy" stands in the pipeline [misplaced-component]`,
			`config.yml:7:9: "WhitespaceTokenizer" stands among the policies and is none [misplaced-component]`,
		}},
		{"settings", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: CountVectorsFeaturizer\n  max_ngrams: 4\n  min_ngram: many\n- name: DIETClassifier\n  epochs: [1]\npolicies: []\n", []string{
			`config.yml:7:3: warning: CountVectorsFeaturizer has no setting "max_ngrams"; it is ignored [unknown-setting]`,
			`config.yml:8:14: the setting "min_ngram" of CountVectorsFeaturizer is a string, not a number [wrong-type]`,
			`config.yml:10:11: the setting "epochs" of DIETClassifier is a list, not a number [wrong-type]`,
		}},
		{"a value that is out of range", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: CountVectorsFeaturizer\n  analyzer: letters\npolicies: []\n", []string{
			`config.yml:7:13: CountVectorsFeaturizer: analyzer: "letters" is not one of word, char, char_wb [invalid-setting]`,
		}},
		{"values that don't fit, all at once", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: CountVectorsFeaturizer\n- name: LogisticRegressionClassifier\n  max_iter: 1.5\n  tol: .nan\n- name: FallbackClassifier\n  threshold: .inf\npolicies: []\n", []string{
			"config.yml:8:13: LogisticRegressionClassifier: max_iter: 1.5 stands where a whole number belongs [invalid-setting]",
			"config.yml:9:8: LogisticRegressionClassifier: tol: .nan is no number to reckon with [invalid-setting]",
			"config.yml:11:14: FallbackClassifier: threshold: .inf is no number to reckon with [invalid-setting]",
		}},
		{"order", head + "pipeline:\n- name: CountVectorsFeaturizer\n- name: FallbackClassifier\n- name: WhitespaceTokenizer\n- name: WhitespaceTokenizer\npolicies: []\n", []string{
			`config.yml:5:9: CountVectorsFeaturizer needs a tokenizer before it [missing-component]`,
			`config.yml:6:9: FallbackClassifier needs an intent classifier before it [missing-component]`,
			`config.yml:8:9: the pipeline has a second tokenizer, WhitespaceTokenizer; the first is WhitespaceTokenizer [several-tokenizers]`,
		}},
		{"aliases", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: RegexFeaturizer\n  alias: x\n- name: CountVectorsFeaturizer\n  alias: x\npolicies: []\n", []string{
			`config.yml:9:10: the alias "x" is taken [duplicate-alias]`,
		}},
		{"language", strings.Replace(head, "en", "zh", 1) + "pipeline:\n- name: WhitespaceTokenizer\npolicies: []\n", []string{
			`config.yml:5:9: WhitespaceTokenizer can't handle the language "zh" [language]`,
		}},
		{"priorities", head + "pipeline: []\npolicies:\n- name: MemoizationPolicy\n- name: AugmentedMemoizationPolicy\n", []string{
			`config.yml:7:9: warning: MemoizationPolicy and AugmentedMemoizationPolicy have the same priority 3; the first wins where both are sure [same-priority]`,
		}},
		{"sparse features serve SklearnIntentClassifier", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: CountVectorsFeaturizer\n- name: SklearnIntentClassifier\npolicies: []\n", nil},
		{"no features", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: SklearnIntentClassifier\npolicies: []\n", []string{
			`config.yml:6:9: SklearnIntentClassifier needs a featurizer before it [missing-component]`,
		}},
		{"not built, all at once", head + "pipeline:\n- name: WhitespaceTokenizer\n- name: CountVectorsFeaturizer\n- name: MitieNLP\n- name: ConveRTFeaturizer\npolicies: []\n", []string{
			`config.yml:7:9: the component "MitieNLP" is not built yet [not-built]`,
			`config.yml:8:9: the component "ConveRTFeaturizer" is not built yet [not-built]`,
		}},
		{"a graph without nodes", "recipe: graph.v1\nnlu_target: x\n", []string{
			"config.yml: the recipe graph.v1 needs predict_schema with nodes [missing-key]",
			"config.yml: the recipe graph.v1 needs train_schema with nodes [missing-key]",
			`config.yml: predict_schema has no node "x" [unknown-node]`,
		}},
		{"a graph with mistakes", "recipe: graph.v1\nlanguage: zh\nnlu_target: a\ntrain_schema: {nodes: {}}\npredict_schema:\n  nodes:\n    a:\n      uses: WhitespaceTokenizer\n      fn: fly\n      needs: {messages: b}\n      config: {intent_split_symbol: 3}\n", []string{
			`config.yml:7:5: the node "a" needs "b", which is not in the graph [invalid-graph]`,
			`config.yml:8:13: WhitespaceTokenizer can't handle the language "zh" [language]`,
			`config.yml:8:13: WhitespaceTokenizer has no function "fly" [unknown-function]`,
			`config.yml:11:37: the setting "intent_split_symbol" of WhitespaceTokenizer is a whole number, not a string [wrong-type]`,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, got := judge(c.text, recipe.Options{Type: recipe.Both, Augmentation: recipe.DefaultAugmentation})
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestEveryNodeNeedsWhatIsThere(t *testing.T) {
	for _, kind := range []recipe.TrainingType{recipe.NLU, recipe.Core, recipe.Both, recipe.EndToEnd} {
		g, _ := judge("recipe: default.v1\n", recipe.Options{Type: kind})
		if _, err := g.Train.Order(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := g.Predict.Order(); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		for _, target := range []string{g.NLUTarget, g.CoreTarget} {
			if target != "" && !slices.Contains(g.Predict.Names(), target) {
				t.Errorf("%s: there is no node %s", kind, target)
			}
		}
	}
}
