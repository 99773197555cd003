package intentmessage_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/intentmessage"
)

func assistant() *domain.Domain {
	d := &domain.Domain{
		Intents:  []domain.Intent{{Name: "greet"}},
		Entities: []domain.Entity{{Name: "name"}, {Name: "city"}},
	}
	d.Complete()
	return d
}

func run(t *testing.T, text string, d *domain.Domain) (*nlu.Message, string) {
	t.Helper()
	var log bytes.Buffer
	c, err := intentmessage.Type().Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &nlu.Message{Intent: &nlu.Intent{Name: "classified", Confidence: 0.4}, Entities: []nlu.Entity{{Entity: "old"}}}
	m.Values[nlu.Text] = text
	m.Tokens[nlu.Text] = []nlu.Token{{Text: text}}
	in := graph.Inputs{"messages": []*nlu.Message{m}}
	if d != nil {
		in["domain"] = d
	}
	if _, err := intentmessage.Type().Fns["process"].Call(context.Background(), c, in); err != nil {
		t.Fatal(err)
	}
	return m, log.String()
}

func TestIntentMessages(t *testing.T) {
	for _, c := range []struct {
		text       string
		confidence float64 // -1: the message is treated as text
		entities   []nlu.Entity
		remark     string
	}{
		{`/greet`, 1, nil, ""},
		{`/ greet `, 1, nil, ""},
		{`/restart`, 1, nil, ""}, // a default intent
		{`/unknown`, -1, nil, "domain lacks"},
		{`/`, -1, nil, "names no intent"},
		{`hello`, -1, nil, ""},
		{`/greet@0.5`, 0.5, nil, ""},
		{`/greet@1.5`, 1, nil, "not a number between"},
		{`/greet@0.5.1`, 0, nil, "not a number between"},
		{`/greet@abc`, 1, nil, "not understood"},
		{`/greet@0.5 {"name":"x"}`, 0.5, nil, "not understood"},
		{`/greet{}`, 1, nil, "not understood"},
		{`/greet{"name":`, 1, nil, "not understood"},
		{`/greet{'name':'x'}`, 1, nil, "not a JSON object"},
		{`/greet{"unknown":"x"}`, 1, nil, "domain lacks"},
		{`/grüße`, -1, nil, "domain lacks"},
		{`/greet{"name":["é",1,null],"city":2.5}`, 1, []nlu.Entity{
			entity("name", "é", 6, 38), entity("name", int64(1), 6, 38), entity("name", nil, 6, 38), entity("city", 2.5, 6, 38),
		}, ""},
		{`/greet@.5{"name":"x"} rest`, 0.5, []nlu.Entity{entity("name", "x", 9, 21)}, "not understood"},
	} {
		m, log := run(t, c.text, assistant())
		if !strings.Contains(log, c.remark) || c.remark == "" && log != "" {
			t.Errorf("%s: the log has %q, want %q", c.text, log, c.remark)
		}
		if c.confidence < 0 {
			if m.Decided || m.Intent.Name != "classified" || len(m.Entities) != 1 {
				t.Errorf("%s: was taken for an intent message: %+v", c.text, m.Intent)
			}
			continue
		}
		if !m.Decided || m.Intent.Confidence != c.confidence {
			t.Errorf("%s: got %+v, want confidence %v", c.text, m.Intent, c.confidence)
		}
		if d := cmp.Diff(c.entities, m.Entities); d != "" {
			t.Errorf("%s: %s", c.text, d)
		}
	}
}

func entity(name string, value any, start, end int) nlu.Entity {
	return nlu.Entity{Entity: name, Value: value, Start: start, End: end, Extractor: "RegexMessageHandler"}
}

func TestWithoutDomainEveryIntentIsTaken(t *testing.T) {
	m, _ := run(t, `/chitchat/ask_name{"any":"x"}`, nil)
	if m.Intent.Name != "chitchat/ask_name" || len(m.Entities) != 1 {
		t.Errorf("got %+v %+v", m.Intent, m.Entities)
	}
}

func FuzzIntentMessages(f *testing.F) {
	for _, s := range []string{`/a@1{"b":[1]}`, "/{}", "/a{\"\n\":1}", "/\xff{\"a\":\"\xff\"}", "/a@99999999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, _ := run(t, "/"+s, nil)
		n := len([]rune("/" + s))
		for _, e := range m.Entities {
			if m.Decided && (e.Start < 0 || e.End < e.Start || e.End > n) {
				t.Fatalf("%q: %+v", s, e)
			}
		}
	})
}
