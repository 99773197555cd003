package tracker

// Verbosity says which events are part of a tracker's JSON.
type Verbosity int

// The verbosities of the HTTP API's include_events.
const (
	None         Verbosity = iota // "events" is null
	Applied                       // events that still have an effect
	AfterRestart                  // events after the last restart
	All                           // every event
)

// AppendState appends the JSON of the tracker, as the HTTP API and the action
// server see it, to dst.
func (t *Tracker) AppendState(dst []byte, v Verbosity) []byte {
	o := object{append(dst, '{')}
	o.string("sender_id", t.ConversationID)
	o.value("slots", t.slots.values)
	o.value("latest_message", map[string]any(t.latestParse()))
	o.number("latest_event_time", t.LatestEventTime(), t.Len() > 0)
	o.nullable("followup_action", t.followup, t.followup != "")
	o.bool("paused", t.paused)
	o.key("events")
	o.dst = t.appendEvents(o.dst, v)
	o.nullable("latest_input_channel", t.inputChannel, t.inputChannel != "")
	o.value("active_loop", t.loopState())
	o.value("latest_action", t.actionState())
	name := t.LatestActionName()
	o.nullable("latest_action_name", name, name != "")
	return append(o.dst, '}')
}

func (t *Tracker) appendEvents(dst []byte, v Verbosity) []byte {
	var events []Event
	switch v {
	case None:
		return append(dst, "null"...)
	case Applied:
		events = t.AppliedEvents()
	case AfterRestart:
		events = t.EventsAfterRestart()
	case All:
		events = t.Events()
	}
	dst = append(dst, '[')
	for i, e := range events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = AppendEvent(dst, e)
	}
	return append(dst, ']')
}

// latestParse is the parse of the latest message with the entities that were
// added since.
func (t *Tracker) latestParse() ParseData {
	m := t.latestMessage
	if m == nil {
		m = &UserUttered{}
	}
	d := ParseData{}
	for k, v := range m.parseData() {
		d[k] = v
	}
	d["entities"] = entitiesAny(m.Entities)
	return d
}

func (t *Tracker) loopState() map[string]any {
	if t.loop.Name == "" {
		return map[string]any{}
	}
	state := map[string]any{
		"name": t.loop.Name, "is_interrupted": t.loop.Interrupted, "rejected": t.loop.Rejected, "trigger_message": nil,
	}
	if t.loop.TriggerMessage != nil {
		state["trigger_message"] = map[string]any(t.loop.TriggerMessage)
	}
	return state
}

func (t *Tracker) actionState() map[string]any {
	switch {
	case t.latestAction == nil:
		return map[string]any{}
	case t.latestAction.Name != "":
		return map[string]any{"action_name": t.latestAction.Name}
	default:
		return map[string]any{"action_text": t.latestAction.ActionText}
	}
}
