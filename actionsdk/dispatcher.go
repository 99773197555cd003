package actionsdk

import (
	"fmt"
	"maps"
)

// Dispatcher collects what an action says. The assistant sends it when the action
// is done, and nothing of it if the action fails.
type Dispatcher struct{ said []Utterance }

// Utterance is one thing to say. Fields that are empty are left out; together
// with Response they override what the response has, but Buttons are added to its
// own.
type Utterance struct {
	Text       string
	Image      string // URL
	Attachment any    // URL, or an object that the channel knows
	Buttons    []Button
	Elements   []map[string]any
	Custom     map[string]any // for channels that know what to do with it
	// Response names a response of the domain, such as utter_greet.
	Response string
	// Args are values for the variables of the response, before slots. They may
	// also set keys of a response that have no field here.
	Args map[string]any
}

// Button is a choice that is offered to the user.
type Button struct {
	Title   string
	Payload string
	Extra   map[string]any // other keys that the channel knows
}

// Say says a text.
func (d *Dispatcher) Say(text string) { d.Utter(Utterance{Text: text}) }

// Sayf says a text, formatted as by fmt.Sprintf.
func (d *Dispatcher) Sayf(format string, args ...any) { d.Say(fmt.Sprintf(format, args...)) }

// Respond says a response of the domain. args are values for its variables and
// may be nil.
func (d *Dispatcher) Respond(name string, args map[string]any) {
	d.Utter(Utterance{Response: name, Args: args})
}

// Utter says anything.
func (d *Dispatcher) Utter(u Utterance) { d.said = append(d.said, u) }

// Said returns what was said so far.
func (d *Dispatcher) Said() []Utterance { return d.said }

// ResponseObject is the JSON object of an utterance in an answer, with the keys
// that rasa-sdk has.
func ResponseObject(u Utterance) map[string]any {
	buttons := make([]any, len(u.Buttons))
	for i, b := range u.Buttons {
		button := map[string]any{}
		maps.Copy(button, b.Extra)
		button["title"] = b.Title
		if b.Payload != "" {
			button["payload"] = b.Payload
		}
		buttons[i] = button
	}
	elements := make([]any, len(u.Elements))
	for i, e := range u.Elements {
		elements[i] = e
	}
	custom := u.Custom
	if custom == nil {
		custom = map[string]any{}
	}
	object := map[string]any{
		"text": orNull(u.Text), "buttons": buttons, "elements": elements, "custom": custom,
		"template": orNull(u.Response), "response": orNull(u.Response), "image": orNull(u.Image), "attachment": u.Attachment,
	}
	maps.Copy(object, u.Args)
	return object
}
