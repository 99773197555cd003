package nlg_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/tracker"
)

func TestInterpolatePrintsAsPython(t *testing.T) {
	values := map[string]any{
		"name": "Ann", "none": nil, "yes": true, "five": int64(5), "half": 2.5, "whole": 5.0, "big": 1e16, "small": 0.00001,
		"list": []any{"a", int64(1), nil, "it's"}, "map": map[string]any{"k": "v"},
	}
	for text, want := range map[string]string{
		"Hi {name}":       "Hi Ann",
		"{none} {yes}":    "None True",
		"{five} {half}":   "5 2.5",
		"{whole}":         "5.0",
		"{big} {small}":   "1e+16 1e-05",
		"{list}":          `['a', 1, None, "it's"]`,
		"{map}":           "{'k': 'v'}",
		"{{name}} {name}": "{name} Ann",
		"{name} {nobody}": "{name} {nobody}",
		"{} { } {name":    "{} { } {name",
		"a {\n} b":        "a {\n} b",
	} {
		got, _ := nlg.Interpolate(text, func(name string) (any, bool) {
			if name == " " {
				return " ", true
			}
			v, ok := values[name]
			return v, ok
		})
		if text == "{} { } {name" {
			want = "{}   {name"
		}
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestVariationIsChosenByConditionThenChannel(t *testing.T) {
	slack, vip := domain.NewResponse("slack"), domain.NewResponse("vip")
	slack.Channel = "slack"
	vip.Conditions = []domain.ResponseCondition{{Type: "slot", Name: "vip", Value: true}}
	d := &domain.Domain{
		Slots:     []*domain.Slot{{Name: "vip", Type: domain.Bool}},
		Responses: map[string][]domain.Response{"utter_x": {domain.NewResponse("any"), slack, vip}},
	}
	d.Complete()
	g := nlg.NewTemplates(d, func(int) int { return 0 }, slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		vip     any
		channel string
		want    string
	}{
		{nil, "rest", "any"}, {nil, "slack", "slack"}, {true, "rest", "vip"}, {true, "slack", "slack"},
	} {
		tr := tracker.New("c", d)
		tr.Update(&tracker.SlotSet{Name: "vip", Value: c.vip})
		got, err := g.Generate(t.Context(), nlg.Request{Name: "utter_x", Tracker: tr, Channel: c.channel})
		if err != nil || got["text"] != c.want {
			t.Errorf("vip %v on %s: got %v, %v; want %s", c.vip, c.channel, got, err, c.want)
		}
	}
}

func TestBotEventKeepsPartsAndMetadataApart(t *testing.T) {
	e := nlg.BotEvent(map[string]any{"text": "x", "image": "i", "id": "7", "utter_action": "utter_x"})
	want := map[string]any{"elements": nil, "quick_replies": nil, "buttons": nil, "attachment": "i", "image": "i", "custom": nil}
	if diff := cmp.Diff(want, e.Data); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]any{"id": "7", "utter_action": "utter_x"}, e.Metadata); diff != "" {
		t.Error(diff)
	}
	if m := nlg.Message(e); m["attachment"] != nil || m["image"] != "i" || m["text"] != "x" {
		t.Errorf("message %v", m)
	}
}

func FuzzInterpolate(f *testing.F) {
	for _, text := range []string{"Hi {name}", "{{name}} {", "}{}{{}}{name", "{na\nme}", "{{{name}}}"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		filled, unknown := nlg.Interpolate(text, func(name string) (any, bool) { return "x", name == "name" })
		if unknown != "" && filled != text {
			t.Errorf("%q became %q though %q is unknown", text, filled, unknown)
		}
		if !strings.Contains(text, "{") && filled != text {
			t.Errorf("%q became %q", text, filled)
		}
	})
}
