package app

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/pyrandom"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// SplitStoriesOptions are the options of data split stories.
type SplitStoriesOptions struct {
	Stories  string // file or folder
	Fraction float64
	Seed     uint32
	Out      string // folder
}

// StoryFile says how a file was divided.
type StoryFile struct {
	Name           string
	Training, Test int // numbers of stories
}

// SplitStoriesResult is what a split made.
type SplitStoriesResult struct {
	Divided  []StoryFile
	Files    []string // that were written
	Warnings []diag.Problem
}

// SplitStories divides the stories of each file into a part to train with and a
// part to test with, as Rasa 3.6 does after the same seed. What is no story is in
// the first part.
func SplitStories(o SplitStoriesOptions) (result SplitStoriesResult, err error) {
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	contents, sources := map[string][]byte{}, map[string]string{}
	read := map[string]bool{}
	for _, path := range yamlFiles(o.Stories, &problems) {
		read[filepath.Clean(path)] = true
		name := filepath.ToSlash(path)
		root := yamlfile.Read(path, name, &problems)
		stories := root.Get("stories")
		switch {
		case stories.IsNull():
			continue
		case stories.Kind != yamlfile.List:
			problems.Errorf(stories.Pos, "invalid-stories", "write - story: for each", "the stories must be a list, not %s", stories.Kind)
			continue
		case len(stories.Items) == 0:
			continue
		}
		base := filepath.Base(path)
		if earlier, taken := sources[base]; taken {
			problems.Errorf(diag.Position{File: name}, "duplicate-key", "rename one", "its parts would have the names of those of %s", earlier)
			continue
		}
		sources[base] = name
		training, test := o.divide(len(stories.Items))
		if len(training) == 0 {
			problems.Warnf(stories.Pos, "few-examples", "", "there are too few stories for both parts; they are all in the training part")
			training, test = test, nil
		}
		contents["train_"+base] = yamlfile.File(withStories(root, stories, training).YAML(0))
		contents["test_"+base] = nil
		if len(test) > 0 {
			only := &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{{Key: yamlfile.NewString("stories"), Value: chosen(stories, test)}}}
			contents["test_"+base] = yamlfile.File(only.YAML(0))
		}
		result.Divided = append(result.Divided, StoryFile{name, len(training), len(test)})
	}
	if err := problems.Err(); err != nil {
		return result, err
	}
	if len(contents) == 0 {
		return result, fmt.Errorf("there are no stories at %s; name a file or folder with stories: --nlu", o.Stories)
	}
	for _, name := range slices.Sorted(maps.Keys(contents)) {
		if path := filepath.Join(o.Out, name); read[path] { // also if a split has made it
			return result, fmt.Errorf("%s would be written over, and its stories be lost; name another folder: --out", filepath.ToSlash(path))
		}
	}
	result.Files, err = writeSplit(o.Out, contents)
	return result, err
}

// divide chooses among n stories. The part to test with is rounded up, as in
// scikit-learn's ShuffleSplit.
func (o SplitStoriesOptions) divide(n int) (training, test []int) {
	order := pyrandom.NewNumPy(o.Seed).Permutation(n)
	tested := int(math.Ceil((1 - o.Fraction) * float64(n)))
	return order[tested:], order[:tested]
}

func chosen(stories *yamlfile.Node, indexes []int) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.List}
	for _, i := range indexes {
		out.Items = append(out.Items, stories.Items[i])
	}
	return out
}

// withStories is a file with some of its stories, and all else.
func withStories(root, stories *yamlfile.Node, indexes []int) *yamlfile.Node {
	out := &yamlfile.Node{Kind: yamlfile.Map}
	for _, p := range root.Pairs {
		if p.Value == stories {
			p.Value = chosen(stories, indexes)
		}
		out.Pairs = append(out.Pairs, p)
	}
	return out
}
