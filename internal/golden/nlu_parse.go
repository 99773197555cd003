package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/training"
)

type parseShape struct {
	Models map[string]struct {
		Config    string
		Training  string
		NLU       string // the data of an assistant of its own
		ExtraNLU  string `json:"extra_nlu"` // what is added to the recorded bot's
		Responses string `json:"extra_responses"`
		Parse     []parseRecord
		Slash     []parseRecord
	}
}

type parseRecord struct {
	Message string
	Result  map[string]any
}

// extendedDomain is what the recording says in words about the domain that goes
// with extra data.
const extendedDomain = `
intents: [order, faq]
entities: [{city: {roles: [from, to]}}, {size: {groups: ["1", "2"]}}, phone, name]
`

// parseShapeCheck trains the recorded assistants and compares whole parse
// results, except for what is learned.
func parseShapeCheck(dir string) Report {
	report := Report{File: "nlu/parse_shape.json"}
	var shape parseShape
	if err := load(dir, report.File, &shape); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(shape.Models)) {
		m := shape.Models[name]
		files := map[string]string{"config.yml": m.Config}
		bot := filepath.Join(botsDir(dir), "rasa-responseselectorbot")
		if m.NLU != "" {
			files["data/nlu.yml"], bot = m.NLU, ""
		} else if m.ExtraNLU != "" {
			files["data/extra.yml"], files["data/responses.yml"], files["domain.yml"] = m.ExtraNLU, m.Responses, extendedDomain
		}
		part := training.All
		if m.Training == "nlu" {
			part = training.NLU
		}
		a, err := trainAssistant(bot, files, part)
		if err != nil {
			return fail(report.File, fmt.Errorf("%s: %w", name, err))
		}
		responses := recordedResponses(m.Parse, m.Slash)
		for _, r := range slices.Concat(m.Parse, m.Slash) {
			report.equal(fmt.Sprintf("%s %q", name, r.Message), r.compare(a, responses))
		}
	}
	return report
}

// trainAssistant trains a bot, or none, with some files on top of its own, and
// loads the model.
func trainAssistant(bot string, files map[string]string, part training.Part) (*assistant.Assistant, error) {
	work, err := os.MkdirTemp("", "loquat-golden-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(work)
	for name, content := range files {
		file := filepath.Join(work, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			return nil, err
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			return nil, err
		}
	}
	paths := project.Paths{Config: filepath.Join(work, "config.yml")}
	for _, folder := range []string{bot, work} {
		if domain := filepath.Join(folder, "domain.yml"); folder != "" && exists(domain) {
			paths.Domain = append(paths.Domain, domain)
		}
		if data := filepath.Join(folder, "data"); folder != "" && exists(data) {
			paths.Data = append(paths.Data, data)
		}
	}
	logger := slog.New(slog.DiscardHandler)
	run, err := training.Prepare(training.Settings{
		Dir: work, Paths: paths, Part: part, Out: work, FixedModelName: "golden", Types: app.Catalog(), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	trained, err := run.Train(context.Background())
	if err != nil {
		return nil, err
	}
	if _, err := run.Package(trained); err != nil {
		return nil, err
	}
	m, err := model.Read(run.Output)
	if err != nil {
		return nil, err
	}
	return assistant.Load(m, app.Catalog(), nil, logger)
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// recordedResponses are the response objects of selectors by key, without their
// confidence.
func recordedResponses(records ...[]parseRecord) map[string]any {
	out := map[string]any{}
	for _, r := range slices.Concat(records...) {
		selectors, _ := r.Result["response_selector"].(map[string]any)
		for _, v := range selectors {
			if s, ok := v.(map[string]any); ok {
				response := maps.Clone(s["response"].(map[string]any))
				delete(response, "confidence")
				if key, ok := response["intent_response_key"].(string); ok {
					out[key] = response
				}
			}
		}
	}
	return out
}

func (r parseRecord) compare(a *assistant.Assistant, responses map[string]any) string {
	m := &nlu.Message{}
	m.Values[nlu.Text] = r.Message
	if err := a.Parse(context.Background(), m); err != nil {
		return err.Error()
	}
	encoded, err := json.Marshal(m)
	if err != nil {
		return err.Error()
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		return err.Error()
	}
	return strings.TrimSpace(diff(fixed(r.Result, responses), fixed(got, responses)))
}

// fixed replaces what is learned in a result by its shape: the intent and the
// ranking, which response comes first, and entities of DIETClassifier.
func fixed(result, responses map[string]any) map[string]any {
	out := maps.Clone(result)
	out["entities"] = notLearned(result["entities"])
	if result["text_tokens"] == nil { // an intent message: nothing was learned about it
		out["intent"], out["intent_ranking"] = rounded(out["intent"]), rounded(out["intent_ranking"])
		return out
	}
	out["intent"], out["intent_ranking"] = shapeOf(result["intent"]), nil
	for _, entry := range result["intent_ranking"].([]any) {
		out["intent_ranking"] = shapeOf(entry)
	}
	selectors, _ := result["response_selector"].(map[string]any)
	for name, v := range selectors {
		if s, ok := v.(map[string]any); ok {
			selectors[name] = fixedSelector(s, responses)
		}
	}
	return out
}

// fixedSelector replaces the response by whether it is recorded for its key, and
// the ranking by its keys.
func fixedSelector(s, responses map[string]any) map[string]any {
	response := maps.Clone(s["response"].(map[string]any))
	_, number := response["confidence"].(float64)
	delete(response, "confidence")
	key, _ := response["intent_response_key"].(string)
	var keys []string
	for _, entry := range s["ranking"].([]any) {
		keys = append(keys, fmt.Sprintln(entry.(map[string]any)["intent_response_key"], shapeOf(entry)))
	}
	slices.Sort(keys)
	return map[string]any{"as recorded": diff(responses[key], response), "with confidence": number, "ranking": keys, "keys": slices.Sorted(maps.Keys(s))}
}

// shapeOf gives the types of an object's values. Whether an intent has a full
// name depends on which intent it is.
func shapeOf(v any) any {
	out := map[string]string{}
	for key, value := range v.(map[string]any) {
		if key != "full_retrieval_intent_name" {
			out[key] = fmt.Sprintf("%T", value)
		}
	}
	return out
}

// rounded gives confidences the four decimals that were recorded.
func rounded(v any) any {
	switch v := v.(type) {
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = rounded(v[i])
		}
		return out
	case map[string]any:
		out := maps.Clone(v)
		if c, ok := v["confidence"].(float64); ok {
			out["confidence"] = fmt.Sprintf("%.4f", c)
		}
		return out
	}
	return v
}

// notLearned leaves out entities of classifiers.
func notLearned(entities any) []any {
	out := []any{}
	for _, e := range entities.([]any) {
		if e.(map[string]any)["extractor"] != "DIETClassifier" {
			out = append(out, e)
		}
	}
	return out
}
