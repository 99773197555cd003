package nlg_test

import (
	"log/slog"
	"os"
	"path/filepath"
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
		"Hi {name}":     "Hi Ann",
		"{none} {yes}":  "None True",
		"{five} {half}": "5 2.5",
		"{whole}":       "5.0",
		"{big} {small}": "1e+16 1e-05",
		"{list}":        `['a', 1, None, "it's"]`,
		"{map}":         "{'k': 'v'}",
	} {
		got, _ := nlg.Interpolate(text, func(name string) (any, bool) { v, ok := values[name]; return v, ok })
		if got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// Where Rasa fails, and the action with it, the text stays as it is.
func TestInterpolateAsRecorded(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "interpolation.json"))
	if err != nil {
		t.Fatal(err)
	}
	v, err := tracker.DecodeValue(data)
	if err != nil {
		t.Fatal(err)
	}
	recorded := v.(map[string]any)
	values := recorded["values"].(map[string]any)
	lookup := func(name string) (any, bool) { v, ok := values[name]; return v, ok }
	for text, want := range recorded["filled"].(map[string]any) {
		if got, _ := nlg.Interpolate(text, lookup); got != want {
			t.Errorf("%q: got %q, Rasa says %q", text, got, want)
		}
	}
	for _, text := range recorded["fails"].([]any) {
		if got, problem := nlg.Interpolate(text.(string), lookup); got != text || problem == "" {
			t.Errorf("%q: got %q, %q", text, got, problem)
		}
	}
}

func TestVariationIsChosenByConditionThenChannel(t *testing.T) {
	slack, vip := domain.NewResponse("slack"), domain.NewResponse("vip")
	never := domain.NewResponse("never")
	never.Conditions = []domain.ResponseCondition{}
	slack.Channel = "slack"
	vip.Conditions = []domain.ResponseCondition{{Type: "slot", Name: "vip", Value: true}}
	d := &domain.Domain{
		Slots:     []*domain.Slot{{Name: "vip", Type: domain.Bool}},
		Responses: map[string][]domain.Response{"utter_x": {never, domain.NewResponse("any"), slack, vip}},
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
			t.Errorf("%q became %q in spite of %q", text, filled, unknown)
		}
		if !strings.ContainsAny(text, "{}") && filled != text {
			t.Errorf("%q became %q", text, filled)
		}
	})
}

func TestConditionsCompareAsRasa(t *testing.T) {
	for _, c := range []struct {
		slot, value any
		holds       bool
	}{
		{"abc", "ABC", true}, {"straße", "STRASSE", true}, {"1", int64(1), false}, {int64(1), 1.0, true}, {int64(1), true, true},
		{false, int64(0), true}, {"FALSE", "false", true}, {"false", false, false}, {nil, nil, true}, {[]any{"x"}, []any{"x"}, true},
		{[]any{"X"}, []any{"x"}, false},
	} {
		v := domain.NewResponse("yes")
		v.Conditions = []domain.ResponseCondition{{Type: "slot", Name: "s", Value: c.value}}
		d := &domain.Domain{Slots: []*domain.Slot{{Name: "s", Type: domain.Any, InitialValue: c.slot}}, Responses: map[string][]domain.Response{"utter_x": {v}}}
		d.Complete()
		g := nlg.NewTemplates(d, nil, slog.New(slog.DiscardHandler))
		got, err := g.Generate(t.Context(), nlg.Request{Name: "utter_x", Tracker: tracker.New("c", d)})
		if err != nil || (got != nil) != c.holds {
			t.Errorf("slot %v, condition %v: got %v, %v", c.slot, c.value, got, err)
		}
	}
}
