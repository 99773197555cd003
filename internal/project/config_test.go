package project_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func parseConfig(text string) (*project.Config, string) {
	var problems diag.List
	c := project.ParseConfig(yamlfile.Parse([]byte(text), "config.yml", &problems), "config.yml", &problems)
	return c, printed(&problems)
}

func printed(problems *diag.List) string {
	var lines []string
	for _, p := range problems.All() {
		lines = append(lines, p.Error())
	}
	return strings.Join(lines, "\n")
}

func TestConfigKeepsWhatIsWritten(t *testing.T) {
	c, problems := parseConfig(`recipe: default.v1
language: en
pipeline:
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
- KeywordIntentClassifier
policies:
data: old
`)
	if problems != "" {
		t.Error(problems)
	}
	if !c.Pipeline.Present || c.Policies.Present {
		t.Errorf("pipeline present: %v, policies present: %v; want true and false", c.Pipeline.Present, c.Policies.Present)
	}
	item := c.Pipeline.Items[0]
	if item.Name != "CountVectorsFeaturizer" || item.Pos.String() != "config.yml:4:9" {
		t.Errorf("first item is %s at %s", item.Name, item.Pos)
	}
	if diff := cmp.Diff(map[string]any{"analyzer": "char_wb", "min_ngram": int64(1)}, item.Values()); diff != "" {
		t.Error(diff)
	}
	if item.Param("analyzer").Pos.Line != 5 || item.Param("name") != nil || c.Pipeline.Items[1].Param("x") != nil {
		t.Error("settings are not found where they stand")
	}
	if diff := cmp.Diff([]string{"data"}, c.OtherKeys()); diff != "" {
		t.Error(diff)
	}
}

func TestConfigProblems(t *testing.T) {
	for text, want := range map[string]string{
		"pipeline: spacy":          "config.yml:1:11: pipeline must be a list, not a string [invalid-config]\n    hint: write a list with an item - name: for each component",
		"pipeline:\n- epochs: 3":   "config.yml:2:3: an item of pipeline has no name [invalid-config]\n    hint: add name: and the component's name",
		"language: 3":              "config.yml:1:11: language must be a string, not a whole number [invalid-value]\n    hint: put the value in quotes",
		"polices: []":              "config.yml:1:1: warning: the configuration has no key \"polices\"; it is ignored [unknown-key]\n    hint: did you mean \"policies\"?",
		"importers:\n- name: null": "config.yml:2:9: an item of importers has no name [invalid-config]\n    hint: add name: and the component's name",
	} {
		if _, got := parseConfig(text); got != want {
			t.Errorf("%q:\ngot:\n%s\nwant:\n%s", text, got, want)
		}
	}
}
