package actionsdk

import (
	"maps"
	"time"
)

// EventObject is the JSON object of an event.
func EventObject(e Event) map[string]any {
	base := e.meta()
	object := map[string]any{"event": e.Type(), "timestamp": nil}
	if base.Timestamp != 0 {
		object["timestamp"] = base.Timestamp
	}
	if base.Metadata != nil {
		object["metadata"] = base.Metadata
	}
	e.fields(object)
	return object
}

func (e SlotSet) fields(o map[string]any)        { o["name"], o["value"] = e.Name, e.Value }
func (e FollowupAction) fields(o map[string]any) { o["name"] = e.Name }
func (e ReminderScheduled) fields(o map[string]any) {
	o["intent"], o["entities"], o["name"] = e.Intent, e.Entities, orNull(e.Name)
	o["date_time"] = e.At.Format("2006-01-02T15:04:05.999999Z07:00")
	o["kill_on_user_msg"] = !e.SurviveUserMessage
}
func (e ReminderCancelled) fields(o map[string]any) {
	o["name"], o["intent"], o["entities"] = orNull(e.Name), orNull(e.Intent), e.Entities
}
func (e ActiveLoop) fields(o map[string]any)      { o["name"] = orNull(e.Name) }
func (e LoopInterrupted) fields(o map[string]any) { o["is_interrupted"] = e.Interrupted }
func (e ActionExecutionRejected) fields(o map[string]any) {
	o["name"], o["policy"], o["confidence"] = e.Name, orNull(e.Policy), number(e.Confidence)
}
func (e ActionExecuted) fields(o map[string]any) {
	o["name"], o["policy"], o["confidence"] = e.Name, orNull(e.Policy), number(e.Confidence)
}
func (e UserUttered) fields(o map[string]any) {
	o["text"], o["parse_data"], o["input_channel"] = orNull(e.Text), e.ParseData, orNull(e.InputChannel)
	if e.ParseData == nil { // the assistant insists on it
		o["parse_data"] = map[string]any{}
	}
	if e.MessageID != "" {
		o["message_id"] = e.MessageID
	}
}
func (e BotUttered) fields(o map[string]any)   { o["text"], o["data"] = orNull(e.Text), e.Data }
func (e AgentUttered) fields(o map[string]any) { o["text"], o["data"] = orNull(e.Text), e.Data }
func (e EntitiesAdded) fields(o map[string]any) {
	entities := e.Entities
	if entities == nil {
		entities = []Entity{}
	}
	o["entities"] = entities
}
func (AllSlotsReset) fields(map[string]any)         {}
func (SessionStarted) fields(map[string]any)        {}
func (Restarted) fields(map[string]any)             {}
func (ConversationPaused) fields(map[string]any)    {}
func (ConversationResumed) fields(map[string]any)   {}
func (UserUtteranceReverted) fields(map[string]any) {}
func (ActionReverted) fields(map[string]any)        {}
func (StoryExported) fields(map[string]any)         {}
func (e OtherEvent) fields(o map[string]any)        { maps.Copy(o, e.Fields) }

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func number(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

// eventFrom reads an event of a tracker. What has another type than it should is
// left empty: a tracker is a record, and one odd event must not stop an action.
func eventFrom(m map[string]any) Event {
	b := Base{Timestamp: num(m["timestamp"])}
	b.Metadata, _ = m["metadata"].(map[string]any)
	name, kind := str(m["name"]), str(m["event"])
	switch kind {
	case "slot":
		return SlotSet{b, name, m["value"]}
	case "followup":
		return FollowupAction{b, name}
	case "reminder":
		survive, ok := m["kill_on_user_msg"].(bool)
		return ReminderScheduled{b, str(m["intent"]), when(str(m["date_time"])), m["entities"], name, ok && !survive}
	case "cancel_reminder":
		return ReminderCancelled{b, name, str(m["intent"]), m["entities"]}
	case "active_loop", "form":
		return ActiveLoop{b, name}
	case "loop_interrupted":
		interrupted, _ := m["is_interrupted"].(bool)
		return LoopInterrupted{b, interrupted}
	case "action_execution_rejected":
		return ActionExecutionRejected{b, name, str(m["policy"]), optional(m["confidence"])}
	case "action":
		return ActionExecuted{b, name, str(m["policy"]), optional(m["confidence"])}
	case "user":
		parse, _ := m["parse_data"].(map[string]any)
		return UserUttered{b, str(m["text"]), parse, str(m["input_channel"]), str(m["message_id"])}
	case "bot":
		data, _ := m["data"].(map[string]any)
		return BotUttered{b, str(m["text"]), data}
	case "agent":
		return AgentUttered{b, str(m["text"]), m["data"]}
	case "entities":
		return EntitiesAdded{b, entitiesFrom(m["entities"])}
	case "reset_slots":
		return AllSlotsReset{b}
	case "session_started":
		return SessionStarted{b}
	case "restart":
		return Restarted{b}
	case "pause":
		return ConversationPaused{b}
	case "resume":
		return ConversationResumed{b}
	case "rewind":
		return UserUtteranceReverted{b}
	case "undo":
		return ActionReverted{b}
	case "export":
		return StoryExported{b}
	}
	rest := maps.Clone(m)
	for _, key := range []string{"event", "timestamp", "metadata"} {
		delete(rest, key)
	}
	return OtherEvent{b, kind, rest}
}

func str(v any) string {
	s, _ := v.(string)
	return s
}

func num(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case int:
		return float64(v)
	}
	return 0
}

func optional(v any) *float64 {
	if v == nil {
		return nil
	}
	f := num(v)
	return &f
}

// when reads a time as Python's isoformat writes it; without a zone it is local.
func when(s string) time.Time {
	if t, err := time.Parse(time.RFC3339Nano, s); err == nil {
		return t
	}
	t, _ := time.ParseInLocation("2006-01-02T15:04:05.999999999", s, time.Local)
	return t
}
