package evaluate

import "encoding/json"

// Comparison is how well configurations do with fewer and fewer examples.
type Comparison struct {
	Percentages []int // of the training examples that are left out
	Configs     []ConfigScores
	// Examples is the number of examples that are trained with, for each percentage.
	Examples []int
}

// ConfigScores are the scores of one configuration: the F1 score of intents, as the
// mean over examples.
type ConfigScores struct {
	Name string
	F1   [][]float64 // [run][percentage]
}

// Runs returns the scores with one percentage, for each run.
func (c *ConfigScores) Runs(percentage int) []float64 {
	var out []float64
	for _, run := range c.F1 {
		if percentage < len(run) {
			out = append(out, run[percentage])
		}
	}
	return out
}

// IntentF1 is the F1 score of intents, as the mean over examples.
func IntentF1(outcomes []Outcome) float64 {
	return float64(intents(outcomes).Report.Weighted.F1)
}

// ResultsJSON is results.json: the scores by configuration (Rasa 3.6).
func (c *Comparison) ResultsJSON() ([]byte, error) {
	o := object{}
	for _, config := range c.Configs {
		runs := make([][]number, len(config.F1))
		for i, run := range config.F1 {
			runs[i] = make([]number, len(run))
			for j, f := range run {
				runs[i][j] = number(f)
			}
		}
		o.add(config.Name, runs)
	}
	data, err := o.end()
	if err != nil {
		return nil, err
	}
	return encode(json.RawMessage(data))
}
