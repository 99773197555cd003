package golden

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Engine compares what configurations mean: components, their defaults, what is
// filled in, the graphs, and what is refused.
func Engine() []Check {
	return []Check{
		{"project/component_defaults.json", componentDefaults},
		{"project/default_config.json", defaultConfigs},
		{"project/configs.json", configs},
		{"bots/rasa-format-fixtures/graph_schemas", schemas},
	}
}

func componentDefaults(dir string) Report {
	report := Report{File: "project/component_defaults.json"}
	type component struct {
		ClassPath    string       `json:"class_path"`
		Defaults     graph.Config `json:"default_config"`
		ModelFrom    *string      `json:"model_from"`
		NotLanguages []string     `json:"not_supported_languages"`
		Languages    []string     `json:"supported_languages"`
		Requires     []string     `json:"required_components"`
		Packages     []string     `json:"required_packages"`
		Trainable    bool         `json:"trainable"`
		Kinds        []graph.Kind `json:"types"`
	}
	var recorded struct {
		Components map[string]component    `json:"components"`
		Providers  map[string]graph.Config `json:"provider_nodes"`
	}
	if err := load(dir, report.File, &recorded); err != nil {
		return fail(report.File, err)
	}
	types := app.Catalog()
	for _, name := range slices.Sorted(maps.Keys(recorded.Components)) {
		t := types[name]
		if t == nil {
			report.equal(name, "there is no such component")
			continue
		}
		got := component{t.ClassPath, t.Defaults, nil, t.NotLanguages, t.Languages, append([]string{}, t.Requires...), append([]string{}, t.Packages...), t.Trainable, t.Kinds}
		if t.ModelFrom != "" {
			got.ModelFrom = &t.ModelFrom
		}
		if got.Defaults == nil {
			got.Defaults = graph.Config{}
		}
		report.equal(name, diff(recorded.Components[name], got))
	}
	for _, name := range slices.Sorted(maps.Keys(recorded.Providers)) {
		if t := types[name]; t == nil {
			report.equal(name, "there is no such node")
		} else {
			report.equal(name, diff(recorded.Providers[name], t.Defaults))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		if _, known := recorded.Components[name]; !known && len(types[name].Kinds) > 0 {
			report.equal(name, "Rasa has no such component")
		}
	}
	return report
}

// describeSection gives the components of a list as config.yml would have them;
// nil for a list that is not there.
func describeSection(s project.Section) any {
	if !s.Present {
		return nil
	}
	out := []any{}
	for _, item := range s.Items {
		values := item.Values()
		values["name"] = item.Name
		out = append(out, values)
	}
	return out
}

// defaultConfigs compares what is filled in. Rasa also writes that into the file,
// which ours leaves alone.
func defaultConfigs(dir string) Report {
	report := Report{File: "project/default_config.json"}
	var records map[string]struct {
		Input     string         `json:"input"`
		Type      string         `json:"training_type"`
		Filled    []string       `json:"auto_configured_keys"`
		Missing   []string       `json:"missing_keys"`
		Pipeline  any            `json:"pipeline"`
		Policies  any            `json:"policies"`
		FileAfter string         `json:"file_after"`
		Error     *recordedError `json:"error"`
	}
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	trainingTypes := map[string]recipe.TrainingType{"NLU": recipe.NLU, "CORE": recipe.Core, "BOTH": recipe.Both}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		want := records[name]
		var problems diag.List
		c := project.ParseConfig(yamlfile.Parse([]byte(want.Input), "config.yml", &problems), "config.yml", &problems)
		completed, filled := recipe.Complete(c, trainingTypes[want.Type], &problems)
		if refused := problems.HasErrors(); refused || want.Error != nil {
			report.equal(name, diff(want.Error != nil, refused))
			continue
		}
		difference := diff(want.Filled, append([]string{}, filled...)) +
			diff(want.Missing, append([]string{}, recipe.MissingKeys(c, trainingTypes[want.Type])...)) +
			diff(want.Pipeline, describeSection(completed.Pipeline)) +
			diff(want.Policies, describeSection(completed.Policies))
		if difference == "" && want.FileAfter != "unchanged" {
			report.listed()
			continue
		}
		report.equal(name, difference)
	}
	return report
}

// recordedConfig is what Rasa made of one configuration.
type recordedConfig struct {
	Recipe       string   `json:"recipe"`
	Missing      []string `json:"missing_keys"`
	Filled       []string `json:"auto_configured_keys"`
	Language     *string  `json:"language"`
	AssistantID  *string  `json:"assistant_id"`
	Pipeline     any      `json:"pipeline"`
	Policies     any      `json:"policies"`
	OtherKeys    []string `json:"other_keys"`
	TrainNodes   []string `json:"train_nodes"`
	PredictNodes []string `json:"predict_nodes"`
	CoreTarget   string   `json:"core_target"`
	NLUTarget    string   `json:"nlu_target"`
	FailedAt     string   `json:"failed_at"`
}

func configs(dir string) Report {
	report := Report{File: "project/configs.json"}
	var records map[string]recordedConfig
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	types := app.Catalog()
	for _, name := range slices.Sorted(maps.Keys(records)) {
		want := records[name]
		got, problems := judgeConfig(filepath.Join(botsDir(dir), filepath.FromSlash(name)), types)
		slices.Sort(got.TrainNodes)
		difference := diff(want, got)
		if difference != "" && want.FailedAt != got.FailedAt {
			difference = fmt.Sprintf("failed at %q, want %q: %v", got.FailedAt, want.FailedAt, problems.Err())
		}
		report.equal(name, difference)
	}
	return report
}

// judgeConfig takes a configuration as far as it goes.
func judgeConfig(path string, types graph.Types) (r recordedConfig, problems *diag.List) {
	problems = &diag.List{}
	failed := func(stage string) bool {
		if problems.HasErrors() {
			r.FailedAt = stage
		}
		return r.FailedAt != ""
	}
	c := project.ReadConfig(path, filepath.Base(path), problems)
	if failed("read") {
		return r, problems
	}
	completed, filled := recipe.Complete(c, recipe.Both, problems)
	if failed("recipe") {
		return r, problems
	}
	r.Recipe, r.OtherKeys = completed.Recipe, append([]string{}, slices.Sorted(slices.Values(c.OtherKeys()))...)
	r.Filled, r.Missing = append([]string{}, filled...), append([]string{}, recipe.MissingKeys(c, recipe.Both)...)
	if c.Language != "" {
		r.Language = &c.Language
	}
	if c.AssistantID != "" {
		r.AssistantID = &c.AssistantID
	}
	r.Pipeline, r.Policies = describeSection(completed.Pipeline), describeSection(completed.Policies)
	g := recipe.Build(completed, types, recipe.Options{Type: recipe.Both, Augmentation: 50}, problems)
	if failed("graph") {
		return r, problems
	}
	r.TrainNodes, r.PredictNodes = g.Train.Names(), g.Predict.Names()
	r.NLUTarget, r.CoreTarget = g.NLUTarget, g.CoreTarget
	recipe.Validate(completed, types, problems)
	failed("validate")
	return r, problems
}
