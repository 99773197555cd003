package evaluate

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/story"
)

// StoryFiles says which files tests of stories are written to.
type StoryFiles struct {
	Files
	NoWarnings bool
}

// conversationAccuracy is how many stories were played without a difference.
type conversationAccuracy struct {
	Accuracy number `json:"accuracy"`
	Correct  int    `json:"correct"`
	Warned   int    `json:"with_warnings"`
	Total    int    `json:"total"`
}

// What is written instead of stories where there are none.
const (
	noneFailed    = "# None of the test stories failed - all good!"
	noneSucceeded = "# None of the test stories succeeded."
	noneWarned    = "# No warnings for test stories"
)

// Write writes the reports with the names and shapes of Rasa 3.6.21, and returns
// the paths.
func (f StoryFiles) Write(t *StoryTests) ([]string, error) {
	if err := os.MkdirAll(f.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("write reports: %w", err)
	}
	files, err := f.of(t)
	if err != nil {
		return nil, err
	}
	var written []string
	for _, file := range files {
		path := filepath.Join(f.Dir, file.Name)
		if file.Data == nil { // of an earlier run
			if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return written, fmt.Errorf("remove an earlier report: %w", err)
			}
			continue
		}
		if err := WriteFile(path, file.Data); err != nil {
			return written, err
		}
		written = append(written, path)
	}
	texts, err := f.Files.Write([]*Evaluation{t.Texts})
	return append(written, texts...), err
}

// of lists the files; those without data are to be removed.
func (f StoryFiles) of(t *StoryTests) ([]File, error) {
	report, err := encode(storyReport{t.Report(), t.accuracy()})
	if err != nil {
		return nil, err
	}
	files := []File{{"story_report.json", report}}
	if f.Plots != nil {
		plots, err := f.Plots(&Evaluation{Name: "story", What: "Action", Pairs: t.actionPairs()})
		if err != nil {
			return nil, err
		}
		files = append(files, plots...)
	}
	for _, list := range []struct {
		name    string
		wanted  bool
		stories []story.Played
		none    string
	}{
		{"failed_test_stories.yml", !f.NoErrors, t.Failed, noneFailed},
		{"successful_test_stories.yml", f.Successes, t.Succeeded, noneSucceeded},
		{"stories_with_warnings.yml", !f.NoWarnings, t.Warned, noneWarned},
	} {
		file := File{Name: list.name}
		switch {
		case !list.wanted:
		case len(list.stories) == 0:
			file.Data = []byte(list.none + "\n")
		default:
			file.Data = story.WritePlayed(list.stories)
		}
		files = append(files, file)
	}
	return files, nil
}

func (t *StoryTests) accuracy() *conversationAccuracy {
	return &conversationAccuracy{number(quotient(t.Correct, t.Total())), t.Correct, len(t.Warned), t.Total()}
}

// storyReport is a report without confusions, with the accuracy of whole stories
// unless that is nil.
type storyReport struct {
	*Report
	stories *conversationAccuracy
}

// MarshalJSON writes labels by name, then the averages.
func (r storyReport) MarshalJSON() ([]byte, error) {
	if len(r.Labels) == 0 && r.stories == nil {
		return []byte("{}"), nil
	}
	o := object{}
	for _, l := range r.Labels {
		if !isAverage(l.Label) {
			o.add(l.Label, l.Score)
		}
	}
	if len(r.Labels) > 0 {
		r.addAverages(&o)
	}
	if r.stories != nil {
		o.add("conversation_accuracy", r.stories)
	}
	return o.end()
}

// Summary gives the tests in the shape of POST /model/test/stories (Rasa 3.6.21).
// The share of predictions that repeat training data is always 0, as there.
func (t *StoryTests) Summary() any {
	report := t.Report()
	out := struct {
		Report    storyReport        `json:"report"`
		Precision number             `json:"precision"`
		F1        number             `json:"f1"`
		Accuracy  number             `json:"accuracy"`
		Actions   []ActionPrediction `json:"actions"`
		InData    number             `json:"in_training_data_fraction"`
		EndToEnd  bool               `json:"is_end_to_end_evaluation"`
	}{storyReport{report, nil}, report.Weighted.Precision, report.Weighted.F1, report.Accuracy, t.Actions, 0, t.EndToEnd}
	if out.Actions == nil {
		out.Actions = []ActionPrediction{}
	}
	return out
}
