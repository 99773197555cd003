package main

import (
	"testing"
	"time"

	"github.com/loquat-dev/loquat/actionsdk"
)

var domain = actionsdk.NewDomain(map[string]any{"forms": map[string]any{
	"booking_form": map[string]any{"required_slots": []any{"cuisine", "people", "outdoors"}},
}})

// asked runs the form's validation after the user said something that filled
// slots, and returns what the form asks for next.
func asked(t *testing.T, text string, slots map[string]any, filled ...actionsdk.Event) (next any, said []actionsdk.Utterance) {
	t.Helper()
	reply, err := server(time.Now).Run(t.Context(), actionsdk.Call{
		Action: "validate_booking_form", Domain: domain,
		Tracker: &actionsdk.Tracker{Slots: slots, LatestMessage: actionsdk.Message{Text: text}, Events: filled},
	})
	if err != nil {
		t.Fatal(err)
	}
	next = "what the domain says"
	for _, e := range reply.Events {
		if slot, ok := e.(actionsdk.SlotSet); ok && slot.Name == "requested_slot" {
			next = slot.Value
		}
	}
	return next, reply.Responses
}

func TestOutdoorsMeansBlankets(t *testing.T) {
	known := map[string]any{"cuisine": "thai", "people": 2}
	if next, _ := asked(t, "outside please", known); next != "blankets" {
		t.Errorf("asks for %v", next)
	}
	if next, _ := asked(t, "indoors", map[string]any{"cuisine": "thai", "people": 2}); next != "what the domain says" {
		t.Errorf("asks for %v", next)
	}
}

func TestCuisinesThatAreNotThere(t *testing.T) {
	_, said := asked(t, "klingon", nil, actionsdk.SlotSet{Name: "cuisine", Value: "klingon"})
	if len(said) != 1 || said[0].Text != "We have thai, greek and italian food." {
		t.Errorf("said %v", said)
	}
}

func TestOpeningHours(t *testing.T) {
	night := func() time.Time { return time.Date(2030, 1, 1, 3, 0, 0, 0, time.UTC) }
	reply, err := server(night).Run(t.Context(), actionsdk.Call{Action: "action_opening_hours"})
	if err != nil || reply.Responses[0].Text != "We open at noon." {
		t.Errorf("said %v, %v", reply, err)
	}
}
