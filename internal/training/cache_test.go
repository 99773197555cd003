package training_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const plenty = 100 << 20

// inputs are the nodes that always run.
var inputs = []string{
	"domain_for_core_training_provider", "domain_provider", "finetuning_validator", "forms_provider",
	"nlu_training_data_provider", "responses_provider", "schema_validator", "story_graph_provider",
}

// The nodes that learn, in alphabetical order.
const (
	counts   = "train_CountVectorsFeaturizer2"
	diet     = "train_DIETClassifier3"
	synonyms = "train_EntitySynonymMapper4"
	memory   = "train_MemoizationPolicy0"
	patterns = "train_RegexFeaturizer1"
	rules    = "train_RulePolicy1"

	runTokens   = "run_WhitespaceTokenizer0"
	runPatterns = "run_RegexFeaturizer1"
	runCounts   = "run_CountVectorsFeaturizer2"
	trackers    = "training_tracker_provider"
)

// A change in a project, or in the program, runs what depends on it and nothing
// else. Each training is a new process.
func TestOneChangeRunsWhatDependsOnIt(t *testing.T) {
	everyNLU := []string{runTokens, patterns, runPatterns, counts, runCounts, diet, synonyms}
	everyCore := []string{trackers, memory, rules}
	for _, c := range []struct {
		name    string
		file    string
		replace []string
		bump    string
		ran     []string // beside the inputs
	}{
		{name: "nothing"},
		{name: "a response", file: "domain.yml", replace: []string{"Hello", "Good day"}},
		{name: "a comment", file: "data/nlu.yml", replace: []string{"nlu:", "# of interest to people\nnlu:"}},
		{name: "an NLU example", file: "data/nlu.yml", replace: []string{"- hi there", "- hi you there"}, ran: everyNLU},
		{name: "a story", file: "data/stories.yml", replace: []string{"  - action: utter_booked", "  - action: utter_booked\n  - action: utter_hello"}, ran: everyCore},
		{name: "an action that no story had", file: "data/stories.yml", replace: []string{"- action: utter_booked", "- action: action_restart"}, ran: slices.Concat(everyCore, everyNLU)}, // featurizers learn the names of actions too
		{name: "a new slot", file: "domain.yml", replace: []string{"slots:", "slots:\n  b: {type: bool, mappings: [{type: custom}]}"}, ran: everyCore},
		{name: "a setting of the last classifier", file: "config.yml", replace: []string{"epochs: 5", "epochs: 6"}, ran: []string{diet, runTokens, runPatterns, runCounts}},
		{name: "a setting of a featurizer", file: "config.yml", replace: []string{"CountVectorsFeaturizer", "CountVectorsFeaturizer\n  max_ngram: 2"}, ran: []string{counts, runCounts, diet, synonyms, runTokens, runPatterns}},
		{name: "a setting of a policy", file: "config.yml", replace: []string{"MemoizationPolicy", "MemoizationPolicy\n  max_history: 3"}, ran: []string{trackers, memory}},
		{name: "the code of a policy", bump: "RulePolicy", ran: []string{trackers, rules}},
		{name: "the code of the tokenizer", bump: "WhitespaceTokenizer", ran: everyNLU},
		{name: "the code of the training trackers", bump: "TrainingTrackerProvider", ran: everyCore},
		{name: "the code of a classifier", bump: "DIETClassifier", ran: []string{diet, runTokens, runPatterns, runCounts}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "")
			first := request{Dir: dir, MaxBytes: plenty}.train(t)
			if first.Error != "" {
				t.Fatal(first.Error)
			}
			write(t, dir, c.file, c.replace...)
			second := request{Dir: dir, MaxBytes: plenty, Bump: c.bump}
			var stale []string
			for _, n := range c.ran {
				if len(n) > 6 && n[:6] == "train_" {
					stale = append(stale, n)
				}
			}
			slices.Sort(stale)
			dry := second
			dry.DryRun = true
			if d := cmp.Diff(stale, dry.train(t).Stale); d != "" {
				t.Errorf("a dry run names other nodes (-want +got):\n%s", d)
			}
			got := second.train(t)
			if got.Error != "" {
				t.Fatal(got.Error)
			}
			want := slices.Sorted(slices.Values(slices.Concat(inputs, c.ran)))
			if d := cmp.Diff(want, got.Ran); d != "" {
				t.Errorf("ran (-want +got):\n%s", d)
			}
			var restored []string
			for _, n := range []string{counts, diet, synonyms, memory, patterns, rules} {
				if !slices.Contains(c.ran, n) {
					restored = append(restored, n)
				}
			}
			if d := cmp.Diff(restored, got.Restored); d != "" {
				t.Errorf("restored (-want +got):\n%s", d)
			}
		})
	}
}

func TestForceRunsEverything(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	first := request{Dir: dir, MaxBytes: plenty}.train(t)
	got := request{Dir: dir, MaxBytes: plenty, Force: true}.train(t)
	if len(got.Restored) > 0 || !slices.Equal(first.Ran, got.Ran) {
		t.Errorf("ran %v, restored %v", got.Ran, got.Restored)
	}
	if got.ModelID != first.ModelID {
		t.Error("the model is another one")
	}
}

// What came from the cache gives the same archive as what was learned, and so
// does any number of cores.
func TestModelsAreEqualByteByByte(t *testing.T) {
	archive := func(cores string, cache int64, again bool) []byte {
		dir := t.TempDir()
		write(t, dir, "")
		r := request{Dir: dir, MaxBytes: cache}
		if again {
			r.train(t)
		}
		if got := r.train(t, "GOMAXPROCS="+cores); got.Error != "" {
			t.Fatal(got.Error)
		}
		data, err := os.ReadFile(filepath.Join(dir, "models", "m.tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want := archive("1", 0, false)
	for name, got := range map[string][]byte{
		"two cores": archive("2", 0, false), "four cores, with a cache": archive("4", plenty, false), "restored": archive("2", plenty, true),
	} {
		if !bytes.Equal(want, got) {
			t.Errorf("%s: %d bytes that differ from the %d of one core", name, len(got), len(want))
		}
	}
}

func TestASmallCacheStaysSmall(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	const limit = 4000
	for range 2 {
		if got := (request{Dir: dir, MaxBytes: limit}).train(t); got.Error != "" {
			t.Fatal(got.Error)
		}
		var size int64
		entries, err := os.ReadDir(filepath.Join(dir, "cache"))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				t.Fatal(err)
			}
			size += info.Size()
		}
		if size > limit || size == 0 {
			t.Errorf("the cache holds %d bytes, the limit is %d", size, limit)
		}
	}
}

// A training that is killed at any moment leaves a cache that the next one can
// use, and no model that is not whole.
func TestAKilledTrainingDoesNoHarm(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "")
	want := request{Dir: dir}.train(t).ModelID
	if err := os.RemoveAll(filepath.Join(dir, "models")); err != nil {
		t.Fatal(err)
	}
	r := request{Dir: dir, MaxBytes: plenty, Force: true}
	for i := range 8 {
		cmd := r.command(t)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10*i) * time.Millisecond)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		models, _ := filepath.Glob(filepath.Join(dir, "models", "*.tar.gz"))
		for _, m := range models {
			if info, err := os.Stat(m); err != nil || info.Size() == 0 {
				t.Errorf("half a model: %s", m)
			}
		}
	}
	got := request{Dir: dir, MaxBytes: plenty}.train(t)
	if got.Error != "" || got.ModelID != want {
		t.Errorf("after the kills the model is %s (%s), want %s", got.ModelID, got.Error, want)
	}
}
