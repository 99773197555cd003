package domain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func (r *reader) intents(n *yamlfile.Node) {
	seen := map[string]diag.Position{}
	for _, item := range r.list(n, "intents", "write - and the intent's name for each") {
		name, body, ok := r.named(item, "intent")
		if !ok || !r.unique(seen, name, "intent", item.Pos) {
			continue
		}
		intent := Intent{Name: name, Pos: item.Pos, Retrieval: r.bool(body.Get("is_retrieval_intent"), "is_retrieval_intent", false)}
		switch use := body.Get("use_entities"); {
		case use == nil, use.Kind == yamlfile.Bool && use.Flag:
		case use.IsNull(), use.Kind == yamlfile.Bool, use.Kind == yamlfile.List && len(use.Items) == 0:
			intent.UseNone = true
		default:
			intent.UseEntities = r.strings(use, "use_entities")
		}
		if ignore := body.Get("ignore_entities"); ignore != nil {
			intent.IgnoreEntities = append([]string{}, r.strings(ignore, "ignore_entities")...)
		}
		r.domain.Intents = append(r.domain.Intents, intent)
	}
	slices.SortStableFunc(r.domain.Intents, func(a, b Intent) int { return cmp.Compare(a.Name, b.Name) })
}

func (r *reader) entities(n *yamlfile.Node) {
	seen := map[string]diag.Position{}
	for _, item := range r.list(n, "entities", "write - and the entity's name for each") {
		name, body, ok := r.named(item, "entity")
		if !ok || !r.unique(seen, name, "entity", item.Pos) {
			continue
		}
		r.domain.Entities = append(r.domain.Entities, Entity{
			Name: name, Pos: item.Pos,
			Roles:      r.strings(body.Get("roles"), "roles"),
			Groups:     r.strings(body.Get("groups"), "groups"),
			Influences: r.bool(body.Get("influence_conversation"), "influence_conversation", true),
		})
	}
}

func (r *reader) actions(n *yamlfile.Node) {
	seen := map[string]diag.Position{}
	for _, item := range r.list(n, "actions", "write - and the action's name for each") {
		name, body, ok := r.named(item, "action")
		if !ok || !r.unique(seen, name, "action", item.Pos) {
			continue
		}
		r.domain.Actions = append(r.domain.Actions, Action{
			Name: name, Pos: item.Pos, SendDomain: r.bool(body.Get("send_domain"), "send_domain", false),
		})
	}
}

func (r *reader) e2eActions(n *yamlfile.Node) {
	r.domain.E2EActions = r.strings(n, "e2e_actions")
}

func (r *reader) responses(n *yamlfile.Node) {
	for _, p := range r.pairs(n, "responses", "write the response's name and a list of variations below it") {
		name, variations := p.Key.Text, p.Value
		if variations.IsNull() {
			r.fail(p.Key.Pos, "empty-response", "add - text: below it", "response %q has no variations", name)
			continue
		}
		if variations.Kind != yamlfile.List {
			r.fail(variations.Pos, "invalid-response", "write - text: for each variation", "the variations of %q must be a list, not %s", name, variations.Kind)
			continue
		}
		out := make([]Response, 0, len(variations.Items))
		for _, v := range variations.Items {
			if response, ok := ReadResponse(v, name, r.problems); ok {
				out = append(out, response)
			}
		}
		r.domain.Responses[name] = out
	}
}

// responseKeys are the keys of a variation that Rasa 3.6 takes.
var responseKeys = []string{
	"text", "id", "channel", "condition", "buttons", "button_type", "quick_replies", "image", "attachment", "elements", "custom", "metadata",
}

// ReadResponse reads one variation of a response.
func ReadResponse(n *yamlfile.Node, name string, problems *diag.List) (Response, bool) {
	r := reader{problems: problems}
	if n.Kind != yamlfile.Map {
		r.fail(n.Pos, "invalid-response", "write - text: before it", "a variation of %q must be a map, not %s", name, n.Kind)
		return Response{}, false
	}
	text := n.Get("text")
	if text == nil && !n.Has("custom") {
		r.fail(n.Pos, "invalid-response", "add text: or custom:", "a variation of %q has neither text nor custom", name)
		return Response{}, false
	}
	for _, p := range n.Pairs {
		if key := p.Key.Text; !slices.Contains(responseKeys, key) {
			hint := diag.DidYouMean(key, responseKeys)
			if hint == "" {
				hint = "what belongs to you goes below metadata:; Rasa refuses other keys"
			}
			r.problems.Warnf(p.Key.Pos, "unknown-key", hint, "a variation of %q has the key %q, which means nothing", name, key)
		}
	}
	response := Response{Node: n, Pos: n.Pos, ID: r.text(n, "id"), Channel: r.text(n, "channel")}
	switch {
	case text == nil:
	case text.Kind == yamlfile.String:
		response.Text, response.HasText = text.Text, true
	default:
		r.fail(text.Pos, "invalid-response", "put the text in quotes", "the text of %q must be a string, not %s", name, text.Kind)
		return Response{}, false
	}
	if conditions := n.Get("condition"); !conditions.IsNull() {
		if conditions.Kind != yamlfile.List {
			r.fail(conditions.Pos, "invalid-condition", "write a list of items with type: slot, name: and value:",
				"the condition of %q must be a list, not %s", name, conditions.Kind)
			return Response{}, false
		}
		response.Conditions = []ResponseCondition{}
		for _, c := range conditions.Items {
			response.Conditions = append(response.Conditions, ResponseCondition{Type: r.text(c, "type"), Name: r.text(c, "name"), Value: c.Get("value").Any()})
			if !c.Has("name") {
				r.fail(c.Pos, "invalid-condition", "write type: slot, name: and value:", "a condition of %q names no slot", name)
			}
		}
	}
	if buttons := n.Get("buttons"); !buttons.IsNull() && buttons.Kind != yamlfile.List {
		r.fail(buttons.Pos, "invalid-response", "write - title: and payload: for each button", "the buttons of %q must be a list, not %s", name, buttons.Kind)
	}
	return response, true
}

// text reads a scalar below a key as text.
func (r *reader) text(n *yamlfile.Node, key string) string {
	v := n.Get(key)
	switch {
	case v.IsNull():
		return ""
	case !v.IsScalar():
		r.fail(v.Pos, "invalid-value", "write a text", "%s must be a text, not %s", key, v.Kind)
		return ""
	}
	return v.PythonString()
}

func (r *reader) forms(n *yamlfile.Node) {
	for _, p := range r.pairs(n, "forms", "write the form's name with required_slots: below it") {
		name, body := p.Key.Text, p.Value
		if body.IsNull() {
			r.fail(p.Key.Pos, "invalid-form", "add required_slots: [] below it", "form %q has no settings", name)
			continue
		}
		if body.Kind != yamlfile.Map {
			r.fail(body.Pos, "invalid-form", "write required_slots: with a list below the form's name", "the settings of form %q must be a map, not %s", name, body.Kind)
			continue
		}
		form := Form{Name: name, Pos: p.Key.Pos}
		required := body.Get("required_slots")
		if required.IsNull() && body.Has("ignored_intents") {
			r.fail(p.Key.Pos, "invalid-form", "add required_slots:, maybe an empty list", "form %q has ignored_intents and no required_slots", name)
		}
		if required != nil && required.Kind == yamlfile.Map {
			r.fail(required.Pos, "invalid-form", "list the slots' names; mappings belong to the slots since version 3",
				"required_slots of form %q must be a list, not a map", name)
			continue
		}
		form.RequiredSlots = r.strings(required, "required_slots")
		form.IgnoredIntents = r.strings(body.Get("ignored_intents"), "ignored_intents")
		form.Raw, _ = body.Any().(map[string]any)
		r.domain.Forms = append(r.domain.Forms, form)
	}
}

func (r *reader) session(n *yamlfile.Node) {
	if n.IsNull() {
		return
	}
	r.pairs(n, "session_config", "write session_expiration_time: and carry_over_slots_to_new_session:")
	minutes := n.Get("session_expiration_time")
	r.domain.Session.ExpirationMinutes = r.number(minutes, "session_expiration_time", defaultExpiration)
	if r.domain.Session.ExpirationMinutes < 0 {
		r.fail(minutes.Pos, "invalid-value", "write 0 for sessions that never end", "session_expiration_time must not be negative")
	}
	r.domain.Session.CarryOverSlots = r.bool(n.Get("carry_over_slots_to_new_session"), "carry_over_slots_to_new_session", true)
}

func (r *reader) config(n *yamlfile.Node) {
	r.pairs(n, "config", "write store_entities_as_slots: true or false")
	r.domain.StoreEntitiesAsSlots = r.bool(n.Get("store_entities_as_slots"), "store_entities_as_slots", true)
}

// missingResponses warns about responses that are listed as actions and have no
// text.
func (r *reader) missingResponses() {
	var names []string
	for name := range r.domain.Responses {
		names = append(names, name)
	}
	for _, a := range r.domain.Actions {
		if strings.HasPrefix(a.Name, "utter_") && r.domain.Responses[a.Name] == nil {
			hint := diag.DidYouMean(a.Name, names)
			if hint == "" {
				hint = "add it below responses:, or remove it from actions:"
			}
			r.problems.Warnf(a.Pos, "missing-response", hint, "response %q is listed as an action and not defined", a.Name)
		}
	}
}
