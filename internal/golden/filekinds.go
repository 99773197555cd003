package golden

import (
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func fileKinds(dir string) Report {
	report := Report{File: "project/file_kinds.json"}
	var records map[string]struct {
		TopLevelKeys any `json:"top_level_keys"`
		NLU          bool
		Stories      bool
		TestStories  bool `json:"test_stories"`
		Domain       bool
		Config       bool
	}
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		data, err := os.ReadFile(filepath.Join(botsDir(dir), filepath.FromSlash(name)))
		if err != nil {
			report.equal(name, err.Error())
			continue
		}
		var problems diag.List
		var root *yamlfile.Node
		if path.Ext(name) != ".json" {
			root = yamlfile.Parse(data, name, &problems)
		}
		got := project.Recognize(name, data, root)
		want := records[name]
		difference := ""
		wantKinds := []bool{want.NLU, want.Stories, want.TestStories, want.Domain, want.Config}
		gotKinds := []bool{got.NLU, got.Stories, got.Tests, got.Domain, got.Config}
		if !slices.Equal(wantKinds, gotKinds) {
			difference = fmt.Sprintf("NLU, stories, tests, domain, config: got %v, want %v", gotKinds, wantKinds)
		}
		if keys, ok := want.TopLevelKeys.([]any); ok && root != nil {
			gotKeys := []any{}
			for _, k := range slices.Sorted(slices.Values(root.Keys())) {
				gotKeys = append(gotKeys, k)
			}
			if problems.HasErrors() {
				difference += problems.Err().Error()
			}
			difference += cmp.Diff(keys, gotKeys)
		} else if !ok && !problems.HasErrors() {
			difference += "read as YAML, but Rasa refuses it"
		}
		report.equal(name, difference)
	}
	return report
}
