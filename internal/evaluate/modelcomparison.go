package evaluate

import (
	"cmp"
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
)

// ModelComparison is how many of the same stories a model plays without a
// difference.
type ModelComparison struct {
	Model          string // path of its file
	Correct, Total int
}

// trainedName is the path of a model that was trained to be compared: of one of
// several runs, by the configuration and the percentage of stories left out (Rasa
// 3.6, train core with several --config).
var trainedName = regexp.MustCompile(`run_(\d+)/(.+)__percentage__(\d+)\.tar\.gz$`)

// ModelRuns are the models of one configuration.
type ModelRuns struct {
	Config      string
	Percentages []int               // of stories left out, rising
	Runs        [][]ModelComparison // [run][percentage]
}

// GroupModels puts models that were trained to be compared together; ok tells that
// all of them were, and that each run has the same percentages.
func GroupModels(models []ModelComparison) (groups []ModelRuns, ok bool) {
	type place struct{ run, percentage int }
	byConfig := map[string]map[place]ModelComparison{}
	for _, m := range models {
		parts := trainedName.FindStringSubmatch(filepath.ToSlash(m.Model))
		if parts == nil {
			return nil, false
		}
		run, err1 := strconv.Atoi(parts[1])
		percentage, err2 := strconv.Atoi(parts[3])
		if err1 != nil || err2 != nil {
			return nil, false
		}
		if byConfig[parts[2]] == nil {
			byConfig[parts[2]] = map[place]ModelComparison{}
		}
		byConfig[parts[2]][place{run, percentage}] = m
	}
	for _, config := range slices.Sorted(maps.Keys(byConfig)) {
		places := slices.SortedFunc(maps.Keys(byConfig[config]), func(a, b place) int {
			return cmp.Or(cmp.Compare(a.run, b.run), cmp.Compare(a.percentage, b.percentage))
		})
		g := ModelRuns{Config: config}
		for i, p := range places {
			if i == 0 || p.run != places[i-1].run {
				g.Runs = append(g.Runs, nil)
			}
			if len(g.Runs) == 1 {
				g.Percentages = append(g.Percentages, p.percentage)
			}
			last := &g.Runs[len(g.Runs)-1]
			if n := len(*last); n >= len(g.Percentages) || g.Percentages[n] != p.percentage {
				return nil, false
			}
			*last = append(*last, byConfig[config][p])
		}
		for _, run := range g.Runs {
			if len(run) != len(g.Percentages) {
				return nil, false
			}
		}
		groups = append(groups, g)
	}
	return groups, true
}

// ModelResultsJSON is results.json: the correct stories of each run and percentage
// by configuration, or, for models that were trained for something else, by file
// (Rasa 3.6.21).
func ModelResultsJSON(models []ModelComparison) ([]byte, error) {
	o := object{}
	if groups, ok := GroupModels(models); ok && len(groups) > 0 {
		for _, g := range groups {
			runs := make([][]int, len(g.Runs))
			for i, run := range g.Runs {
				for _, m := range run {
					runs[i] = append(runs[i], m.Correct)
				}
			}
			o.add(g.Config, runs)
		}
	} else {
		for _, m := range models {
			o.add(filepath.Base(m.Model), []int{m.Correct})
		}
	}
	data, err := o.end()
	if err != nil {
		return nil, err
	}
	return encode(json.RawMessage(data))
}
