package golden

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/dialogue/ensemble"
	"github.com/loquat-dev/loquat/internal/dialogue/memoization"
	"github.com/loquat-dev/loquat/internal/dialogue/rule"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// predictions compares the policies alone: fed with the recorded events of all
// conversations, those with forms too, they must predict what Rasa predicted.
func predictions(dir string) Report {
	report := Report{File: "dialogue/conversations (policies)"}
	files, err := filepath.Glob(filepath.Join(dir, "dialogue", "conversations", "*.jsonl"))
	if err != nil {
		return fail(report.File, err)
	}
	for _, file := range files {
		if err := predictionsOf(file, &report); err != nil {
			return fail(report.File, fmt.Errorf("%s: %w", filepath.Base(file), err))
		}
	}
	return report
}

// recordingHead is the first line of a file of conversations.
type recordingHead struct {
	Assistant string         `json:"assistant"`
	Policies  []graph.Config `json:"policies"`
}

type recordedConversation struct {
	ID    string `json:"id"`
	Turns []struct {
		Events []json.RawMessage `json:"events"`
	} `json:"turns"`
}

func predictionsOf(file string, report *Report) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 64<<20)
	var assistant *trainedPolicies
	for n := 0; lines.Scan(); n++ {
		if n == 0 {
			var head recordingHead
			if err := json.Unmarshal(lines.Bytes(), &head); err != nil {
				return err
			}
			dialogueDir := filepath.Dir(filepath.Dir(file))
			if assistant, err = trainPolicies(filepath.Join(dialogueDir, head.Assistant), head.Policies); err != nil {
				return err
			}
			continue
		}
		var c recordedConversation
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return err
		}
		if err := assistant.replay(filepath.Base(file), c, report); err != nil {
			return fmt.Errorf("%s: %w", c.ID, err)
		}
	}
	return lines.Err()
}

// trainedPolicies are the policies of one recording.
type trainedPolicies struct {
	domain   *domain.Domain
	policies []dialogue.Policy
	ruleOnly *dialogue.RuleOnlyData
}

var policyTypes = map[string]graph.Type{
	"RulePolicy":                 rule.Type(),
	"MemoizationPolicy":          memoization.Type(),
	"AugmentedMemoizationPolicy": memoization.AugmentedType(),
}

// trainPolicies trains on an assistant and goes through what the policies
// persist, as a saved model would. An error of training is returned as it is.
func trainPolicies(assistant string, configs []graph.Config) (*trainedPolicies, error) {
	d, g, err := loadAssistant(assistant)
	if err != nil {
		return nil, err
	}
	trackers, err := trainingTrackers(g, d, 0)
	if err != nil {
		return nil, err
	}
	out := &trainedPolicies{domain: d}
	for _, c := range configs {
		name, _ := c["name"].(string)
		t, ok := policyTypes[name]
		if !ok {
			return nil, fmt.Errorf("no policy %q", name)
		}
		config := maps.Clone(t.Defaults)
		for key, value := range c {
			if f, ok := value.(float64); ok && f == float64(int64(f)) {
				value = int64(f) // as config.yml would give it
			}
			config[key] = value
		}
		fresh, err := t.Build(graph.Env{}, config, nil)
		if err != nil {
			return nil, err
		}
		if err := fresh.(dialogue.Policy).Train(context.Background(), dialogue.TrainingData{Trackers: trackers, Domain: d}); err != nil {
			return nil, err
		}
		saved, err := fresh.(graph.Persister).Persist()
		if err != nil {
			return nil, err
		}
		loaded, err := t.Build(graph.Env{}, config, saved)
		if err != nil {
			return nil, err
		}
		if name == rule.Name {
			if out.ruleOnly, err = rule.ReadRuleOnly(saved); err != nil {
				return nil, err
			}
		}
		out.policies = append(out.policies, loaded.(dialogue.Policy))
	}
	return out, nil
}

// Predict implements conversation.Predictor.
func (p *trainedPolicies) Predict(ctx context.Context, s dialogue.Situation) (*dialogue.Prediction, error) {
	s.RuleOnly = p.ruleOnly
	var all []*dialogue.Prediction
	for _, policy := range p.policies {
		one, err := policy.Predict(ctx, s)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return ensemble.Ensemble{}.Combine(all, p.domain, s.Tracker)
}

// replay compares each prediction of a conversation.
func (p *trainedPolicies) replay(file string, c recordedConversation, report *Report) error {
	t := tracker.New(c.ID, p.domain)
	for n, turn := range c.Turns {
		events := make([]tracker.Event, len(turn.Events))
		for i, raw := range turn.Events {
			var err error
			if events[i], err = tracker.UnmarshalEvent(raw); err != nil {
				return err
			}
		}
		for len(events) > 0 {
			fromPolicies := leading(events)
			if want, ok := predicted(events, fromPolicies); ok {
				got, err := p.Predict(context.Background(), dialogue.Situation{Tracker: t, Domain: p.domain})
				if err != nil {
					return err
				}
				difference := ""
				if g := describePrediction(got, p.domain, want.rejected); g != want.text {
					difference = fmt.Sprintf("got %s, want %s", g, want.text)
				}
				report.equal(fmt.Sprintf("%s, %s, turn %d", file, c.ID, n), difference)
			}
			n := min(fromPolicies+1, len(events))
			t.UpdateAll(events[:n])
			events = events[n:]
		}
	}
	return nil
}

// leading counts the events that policies put before their action.
func leading(events []tracker.Event) int {
	for i, e := range events {
		switch e.(type) {
		case *tracker.UserFeaturization, *tracker.LoopInterrupted:
		default:
			return i
		}
	}
	return len(events)
}

type recordedPrediction struct {
	text     string
	rejected bool // the action was rejected: its policy's events are not recorded
}

// predicted describes the prediction that led to the event behind those of the
// policies, if a policy made it.
func predicted(events []tracker.Event, fromPolicies int) (recordedPrediction, bool) {
	if fromPolicies == len(events) {
		return recordedPrediction{}, false
	}
	switch e := events[fromPolicies].(type) {
	case *tracker.ActionExecuted:
		text := predictedText(e.Name+e.ActionText, e.Policy, e.Confidence)
		text += fmt.Sprintf(" hide_rule_turn=%t %s", e.HideRuleTurn, eventTypes(events[:fromPolicies]))
		return recordedPrediction{text: text}, strings.HasSuffix(e.Policy, "Policy")
	case *tracker.ActionExecutionRejected:
		return recordedPrediction{predictedText(e.Name, e.Policy, e.Confidence), true}, strings.HasSuffix(e.Policy, "Policy")
	default:
		return recordedPrediction{}, false
	}
}

func describePrediction(p *dialogue.Prediction, d *domain.Domain, rejected bool) string {
	action, confidence := p.Best()
	text := predictedText(d.ActionNames()[action], p.Policy, confidence)
	if rejected {
		return text
	}
	return text + fmt.Sprintf(" hide_rule_turn=%t %s", p.HideRuleTurn, eventTypes(p.Events))
}

func predictedText(action, policy string, confidence float64) string {
	return fmt.Sprintf("%s by %s with %.6g", action, policy, confidence)
}

func eventTypes(events []tracker.Event) []string {
	out := []string{}
	for _, e := range events {
		switch e := e.(type) {
		case *tracker.UserFeaturization:
			out = append(out, fmt.Sprintf("use_text=%t", e.UseText))
		case *tracker.LoopInterrupted:
			out = append(out, fmt.Sprintf("interrupted=%t", e.Interrupted))
		}
	}
	slices.Sort(out)
	return out
}
