package actionsdk_test

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"github.com/loquat-dev/loquat/actionsdk"
)

// A server with one action, until it is told to stop.
func Example() {
	var s actionsdk.Server
	s.Action("action_weather", func(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
		city := t.Text("city")
		if city == "" {
			return nil, actionsdk.Reject("there is no city to look at")
		}
		out.Sayf("It is 21 degrees in %s.", city)
		return []actionsdk.Event{actionsdk.SlotSet{Name: "temperature", Value: 21.0}}, nil
	})

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	stop() // the example ends at once
	if err := s.ListenAndServe(ctx, "localhost:0"); err != nil {
		fmt.Println(err)
	}
	// Output:
}

// Actions are tested without any network.
func ExampleServer_Run() {
	var s actionsdk.Server
	s.Action("action_weather", func(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Sayf("It is 21 degrees in %s.", t.Text("city"))
		return nil, nil
	})

	reply, err := s.Run(context.Background(), actionsdk.Call{
		Action:  "action_weather",
		Tracker: &actionsdk.Tracker{Slots: map[string]any{"city": "Riga"}},
	})
	fmt.Println(reply.Responses[0].Text, err)
	// Output: It is 21 degrees in Riga. <nil>
}

// A form whose cuisine must be one that the restaurant has.
func ExampleServer_Form() {
	kitchens := map[string]bool{"thai": true, "greek": true}

	var s actionsdk.Server
	s.Form("booking_form", actionsdk.Validation{
		Validate: map[string]actionsdk.ValidateFunc{
			"cuisine": func(_ context.Context, value any, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) (actionsdk.Slots, error) {
				if cuisine, _ := value.(string); kitchens[cuisine] {
					return nil, nil // fine as it is
				}
				out.Sayf("We have no %v kitchen.", value)
				return actionsdk.Slots{"cuisine": nil}, nil // ask again
			},
		},
	})

	reply, _ := s.Run(context.Background(), actionsdk.Call{
		Action: "validate_booking_form",
		Tracker: &actionsdk.Tracker{Events: []actionsdk.Event{
			actionsdk.SlotSet{Name: "cuisine", Value: "klingon"},
		}},
		Domain: actionsdk.NewDomain(map[string]any{
			"forms": map[string]any{"booking_form": map[string]any{"required_slots": []any{"cuisine"}}},
		}),
	})
	fmt.Println(reply.Responses[0].Text)
	fmt.Println(reply.Events[0].(actionsdk.SlotSet).Value)
	// Output:
	// We have no klingon kitchen.
	// <nil>
}

// A form that asks for one slot more when a table is outdoors.
func ExampleValidation_requiredSlots() {
	var s actionsdk.Server
	s.Form("booking_form", actionsdk.Validation{
		RequiredSlots: func(_ context.Context, declared []string, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]string, error) {
			if t.Bool("outdoors") {
				return append(declared, "blanket"), nil
			}
			return declared, nil
		},
	})
	reply, _ := s.Run(context.Background(), actionsdk.Call{
		Action:  "validate_booking_form",
		Tracker: &actionsdk.Tracker{Slots: map[string]any{"outdoors": true}},
	})
	fmt.Println(reply.Events[0].(actionsdk.SlotSet).Value)
	// Output: blanket
}

// Everything that can be said at once.
func ExampleDispatcher_Utter() {
	out := &actionsdk.Dispatcher{}
	out.Utter(actionsdk.Utterance{
		Text:    "Which one?",
		Image:   "https://example.com/menu.png",
		Buttons: []actionsdk.Button{{Title: "Soup", Payload: "/order{\"dish\": \"soup\"}"}},
	})
	out.Respond("utter_bye", map[string]any{"name": "Ada"})
	fmt.Println(len(out.Said()))
	// Output: 2
}
