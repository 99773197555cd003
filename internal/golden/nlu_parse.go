package golden

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/converter"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/regexentity"
	"github.com/loquat-dev/loquat/internal/nlu/extractor/synonyms"
	"github.com/loquat-dev/loquat/internal/nlu/intentmessage"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

type parseShape struct {
	Models map[string]struct {
		Training string
		ExtraNLU string `json:"extra_nlu"`
		NLU      string
		Parse    []parseRecord
		Slash    []parseRecord
	}
}

type parseRecord struct {
	Message string
	Result  map[string]any
}

// parseShapeCheck runs what isn't learned: the entrance, the tokenizer, patterns
// and synonyms, and the handler of intent messages. What classifiers would add is
// put in from the recording.
func parseShapeCheck(dir string) Report {
	report := Report{File: "nlu/parse_shape.json"}
	var shape parseShape
	if err := load(dir, report.File, &shape); err != nil {
		return fail(report.File, err)
	}
	for _, name := range slices.Sorted(maps.Keys(shape.Models)) {
		model := shape.Models[name]
		p, err := newParser(name, model.Training, model.ExtraNLU+model.NLU)
		if err != nil {
			return fail(report.File, err)
		}
		for _, r := range slices.Concat(model.Parse, model.Slash) {
			report.equal(fmt.Sprintf("%s %q", name, r.Message), p.compare(r))
		}
	}
	return report
}

type parser struct {
	components []any
	domain     *domain.Domain // nil in a model of NLU alone
}

func newParser(name, training, nluYAML string) (*parser, error) {
	p := &parser{}
	tokenizer, err := build(whitespace.Type(), nil, nil)
	if err != nil {
		return nil, err
	}
	p.components = []any{tokenizer}
	if training == "both" {
		p.domain = recordedDomain(name == "entities_selectors_fallback")
	}
	if name == "entities_selectors_fallback" || name == "diet_entities" {
		var problems diag.List
		source := nludata.Read(yamlfile.Parse([]byte(nluYAML), name, &problems), &problems)
		if err := problems.Err(); err != nil {
			return nil, err
		}
		data := nlu.NewTrainingData(source, nlu.Labels{})
		if name == "entities_selectors_fallback" {
			regex, err := trained(regexentity.Type(), nil, data)
			if err != nil {
				return nil, err
			}
			p.components = append(p.components, regex)
		}
		mapper, err := trained(synonyms.Type(), nil, data)
		if err != nil {
			return nil, err
		}
		p.components = append(p.components, mapper)
	}
	return p, nil
}

// recordedDomain has the intents and entities of the recorded assistants.
func recordedDomain(extended bool) *domain.Domain {
	d := &domain.Domain{}
	intents := []string{"affirm", "bot_challenge", "chitchat", "deny", "goodbye", "greet", "mood_great", "mood_unhappy"}
	if extended {
		intents = append(intents, "faq", "order")
		for _, e := range []string{"city", "size", "phone", "name"} {
			d.Entities = append(d.Entities, domain.Entity{Name: e})
		}
	}
	for _, i := range intents {
		d.Intents = append(d.Intents, domain.Intent{Name: i})
	}
	d.Complete()
	return d
}

func (p *parser) parse(text string, learned map[string]any) (*nlu.Message, error) {
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	ctx := context.Background()
	if _, err := converter.Type().Fns["convert_user_message"].Call(ctx, nil, graph.Inputs{"messages": []*nlu.Message{m}}); err != nil {
		return nil, err
	}
	for _, c := range p.components {
		if err := process(c, m); err != nil {
			return nil, err
		}
	}
	putIn(m, learned)
	handler, err := intentmessage.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, nil, nil)
	if err != nil {
		return nil, err
	}
	in := graph.Inputs{"messages": []*nlu.Message{m}, "domain": p.domain}
	_, err = intentmessage.Type().Fns["process"].Call(ctx, handler, in)
	return m, err
}

// putIn gives a message the recorded results of components that learn.
func putIn(m *nlu.Message, result map[string]any) {
	if result["text_tokens"] == nil {
		return // an intent message: nothing was learned about it
	}
	recorded := func(v any) nlu.Intent {
		r := v.(map[string]any)
		i := nlu.Intent{Confidence: r["confidence"].(float64)}
		i.Name, _ = r["name"].(string)
		return i
	}
	i := recorded(result["intent"])
	m.Intent = &i
	m.Ranking = []nlu.Intent{}
	for _, r := range result["intent_ranking"].([]any) {
		m.Ranking = append(m.Ranking, recorded(r))
	}
	m.Selector, _ = result["response_selector"].(map[string]any)
}

func (p *parser) compare(r parseRecord) string {
	m, err := p.parse(r.Message, r.Result)
	if err != nil {
		return err.Error()
	}
	if m.Decided { // recorded with four decimals
		m.Intent.Confidence = math.Round(m.Intent.Confidence*1e4) / 1e4
		m.Ranking = []nlu.Intent{*m.Intent}
	}
	encoded, err := json.Marshal(m.ParseResult())
	if err != nil {
		return err.Error()
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		return err.Error()
	}
	got["entities"], r.Result["entities"] = notLearned(got["entities"]), notLearned(r.Result["entities"])
	return strings.TrimSpace(diff(r.Result, got))
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
