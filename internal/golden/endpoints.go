package golden

import (
	"maps"
	"path/filepath"
	"slices"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/project"
)

func endpoints(dir string) Report {
	report := Report{File: "project/endpoints.json"}
	var records map[string]struct {
		Sections map[string]map[string]any `json:"sections"`
		Keys     []string                  `json:"top_level_keys"`
	}
	if err := load(dir, report.File, &records); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(records)) {
		var problems diag.List
		e := project.ReadEndpoints(filepath.Join(botsDir(dir), filepath.FromSlash(name)), name, &problems)
		sections := map[string]any{}
		for key, section := range map[string]*project.Endpoint{
			"action": e.Action, "nlg": e.NLG, "nlu": e.NLU, "model": e.Models,
			"tracker_store": e.TrackerStore, "lock_store": e.LockStore, "event_broker": e.EventBroker,
		} {
			if section != nil {
				sections[key] = describeEndpoint(section)
			}
		}
		keys := append([]string{}, slices.Sorted(slices.Values(e.Root.Keys()))...)
		difference := cmp.Diff(plainValue(records[name].Sections), plainValue(sections)) + cmp.Diff(records[name].Keys, keys)
		for _, p := range problems.Errors() {
			if p.Code != "python-class" && p.Code != "not-built" {
				difference += p.Error()
			}
		}
		report.equal(name, difference)
	}
	return report
}

// describeEndpoint gives secrets as present or not, as the recording does.
func describeEndpoint(e *project.Endpoint) map[string]any {
	other := map[string]any{}
	for _, p := range e.Other {
		other[p.Key.Text] = p.Value.Any()
	}
	return map[string]any{
		"url": orNull(e.URL), "type": orNull(e.Type), "cafile": orNull(e.CAFile),
		"token": e.Token != "", "token_name": e.TokenName, "basic_auth": e.BasicAuth,
		"params": orEmpty(e.Params), "headers": orEmpty(e.Headers), "other": other,
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func orEmpty(m map[string]any) map[string]any {
	if m == nil {
		return map[string]any{}
	}
	return m
}
