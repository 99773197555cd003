package story

import (
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

var stepKeys = []string{"intent", "user", "action", "bot", "slot_was_set", "active_loop", "checkpoint", "or", "metadata"}

// step adds one step to the story.
func (f *file) step(b *blockBuilder, n *yamlfile.Node) {
	if n.Kind != yamlfile.Map {
		f.Problems.Warnf(n.Pos, "unknown-step", "a step is intent:, action:, slot_was_set: and so on with a value",
			"a step of %q is %s and is skipped", b.name, n.Kind)
		return
	}
	switch {
	case n.Has("intent"), n.Has("user"):
		b.add(f.user(n))
	case n.Has("or"):
		f.or(b, n)
	case n.Has("action"):
		f.action(b, n)
	case n.Has("bot"):
		f.bot(b, n)
	case n.Has("checkpoint"):
		f.checkpoint(b, n)
	case n.Has("slot_was_set"):
		for _, e := range f.slots(n.Get("slot_was_set"), b.rule) {
			b.add(e)
		}
	case n.Has("active_loop"):
		f.activeLoop(b, n)
	case n.Has("metadata"):
	default:
		key := ""
		if len(n.Pairs) > 0 {
			key = n.Pairs[0].Key.Text
		}
		hint := diag.DidYouMean(key, stepKeys)
		if hint == "" {
			hint = "steps: " + strings.Join(stepKeys, ", ")
		}
		f.Problems.Warnf(n.Pos, "unknown-step", hint, "a step of %q begins with %q, which is no kind of step, and is skipped", b.name, key)
	}
}

func (f *file) or(b *blockBuilder, n *yamlfile.Node) {
	list := n.Get("or")
	if list.IsNull() || list.Kind != yamlfile.List {
		f.Problems.Errorf(n.Key("or").Pos, "invalid-or", "list the alternatives below or:, each as - intent: or - slot_was_set:",
			"or needs a list of alternatives")
		return
	}
	var alternatives [][]Event
	for _, item := range list.Items {
		switch {
		case item.Has("intent"), item.Has("user"):
			alternatives = append(alternatives, []Event{f.user(item)})
		case item.Has("slot_was_set"):
			if events := f.slots(item.Get("slot_was_set"), b.rule); len(events) > 0 {
				alternatives = append(alternatives, events)
			}
		default:
			f.Problems.Warnf(item.Pos, "invalid-or", "alternatives are intent and slot_was_set steps",
				"an alternative of or in %q is neither a user turn nor slot_was_set and is skipped", b.name)
		}
	}
	if len(alternatives) > 0 {
		b.or(alternatives, n.Pos)
	}
}

// historyEvents are steps written as actions that change the history itself.
var historyEvents = map[string]func() tracker.Event{
	"restart":         func() tracker.Event { return &tracker.Restarted{} },
	"rewind":          func() tracker.Event { return &tracker.UserUtteranceReverted{} },
	"undo":            func() tracker.Event { return &tracker.ActionReverted{} },
	"reset_slots":     func() tracker.Event { return &tracker.AllSlotsReset{} },
	"pause":           func() tracker.Event { return &tracker.ConversationPaused{} },
	"resume":          func() tracker.Event { return &tracker.ConversationResumed{} },
	"session_started": func() tracker.Event { return &tracker.SessionStarted{} },
}

func (f *file) action(b *blockBuilder, n *yamlfile.Node) {
	v := n.Get("action")
	if !v.IsScalar() || v.PythonString() == "" {
		f.Problems.Warnf(n.Pos, "empty-step", "write the action's name behind action:", "an action step of %q has no name and is skipped", b.name)
		return
	}
	name := v.PythonString()
	if name == "action_unlikely_intent" && !b.rule && !f.test {
		f.Problems.Warnf(v.Pos, "unlikely-intent-in-story", "use a rule to say what follows an unlikely intent",
			"action_unlikely_intent is meant for rules and tests, not for stories")
	}
	if event := historyEvents[name]; event != nil {
		b.add(Event{event(), v.Pos})
		return
	}
	b.add(Event{&tracker.ActionExecuted{Name: name}, v.Pos})
}

func (f *file) bot(b *blockBuilder, n *yamlfile.Node) {
	v := n.Get("bot")
	if !v.IsScalar() || v.PythonString() == "" {
		f.Problems.Warnf(n.Pos, "empty-step", "write what the assistant says behind bot:", "a bot step of %q has no text and is skipped", b.name)
		return
	}
	b.add(Event{&tracker.ActionExecuted{ActionText: strings.TrimSpace(v.PythonString())}, v.Pos})
}

func (f *file) activeLoop(b *blockBuilder, n *yamlfile.Node) {
	v := n.Get("active_loop")
	name := ""
	switch {
	case v.IsNull() && b.rule:
		name = Unset
	case v.IsNull():
	case v.IsScalar():
		name = v.PythonString()
	default:
		f.Problems.Errorf(v.Pos, "invalid-value", "write a form's name, or null", "active_loop must be a name or null, not %s", v.Kind)
		return
	}
	b.add(Event{&tracker.ActiveLoop{Name: name}, n.Pos})
}

func (f *file) checkpoint(b *blockBuilder, n *yamlfile.Node) {
	v := n.Get("checkpoint")
	if !v.IsScalar() || v.PythonString() == "" {
		f.Problems.Errorf(n.Pos, "invalid-checkpoint", "write a name behind checkpoint:", "a checkpoint of %q has no name", b.name)
		return
	}
	if b.rule {
		f.Problems.Warnf(v.Pos, "checkpoint-in-rule", "use a story, or write the rule out", "the rule %q has a checkpoint; rules should stand alone", b.name)
	}
	c := Checkpoint{Name: v.PythonString(), Pos: v.Pos, Conditions: f.conditions(n)}
	if ended := b.checkpoint(c); ended && len(c.Conditions) > 0 {
		f.Problems.Warnf(n.Key("slot_was_set").Pos, "conditions-ignored", "conditions count only for a checkpoint at the beginning of a story",
			"the conditions of checkpoint %q are ignored, because it ends a part of %q", c.Name, b.name)
	}
}

func (f *file) conditions(n *yamlfile.Node) []map[string]any {
	var out []map[string]any
	list := n.Get("slot_was_set")
	if list.IsNull() {
		return nil
	}
	if list.Kind != yamlfile.List {
		f.Problems.Errorf(list.Pos, "invalid-checkpoint", "write - slot: value below slot_was_set:", "conditions of a checkpoint must be a list, not %s", list.Kind)
		return nil
	}
	for _, item := range list.Items {
		if item.Kind != yamlfile.Map {
			f.Problems.Warnf(item.Pos, "invalid-checkpoint", "write - slot: value", "a condition of a checkpoint needs a slot and a value and is skipped")
			continue
		}
		out = append(out, item.Any().(map[string]any))
	}
	return out
}

// knowsIntent reports whether the domain knows an intent, or there is no domain.
func (f *file) knowsIntent(name string) bool {
	return f.Domain == nil || f.Domain.HasIntent(name)
}

func (f *file) intentNames() []string {
	names := slices.Clone(domain.DefaultIntents)
	if f.Domain != nil {
		for _, i := range f.Domain.Intents {
			names = append(names, i.Name)
		}
	}
	return names
}
