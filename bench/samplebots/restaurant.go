package samplebots

import (
	"context"
	"fmt"
	"strings"

	"github.com/loquat-dev/loquat/actionsdk"
)

// restaurant validates the form of rasa-formbot.
func restaurant() *actionsdk.Server {
	var s actionsdk.Server
	s.Form("restaurant_form", actionsdk.Validation{Validate: map[string]actionsdk.ValidateFunc{
		"cuisine": func(_ context.Context, value any, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) (actionsdk.Slots, error) {
			switch name := strings.ToLower(fmt.Sprint(value)); name {
			case "afghan", "caribbean", "chinese", "french", "greek", "indian", "italian", "mexican", "spanish":
				return actionsdk.Slots{"cuisine": name}, nil
			}
			out.Respond("utter_wrong_cuisine", nil)
			return actionsdk.Slots{"cuisine": nil}, nil
		},
		"num_people": func(_ context.Context, _ any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
			if n, ok := t.Number("num_people"); ok && n > 0 && n == float64(int(n)) {
				return actionsdk.Slots{"num_people": int(n)}, nil
			}
			out.Respond("utter_wrong_num_people", nil)
			return actionsdk.Slots{"num_people": nil}, nil
		},
		"outdoor_seating": func(_ context.Context, value any, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) (actionsdk.Slots, error) {
			text, isText := value.(string)
			switch {
			case !isText:
				return nil, nil // true or false, from the intent
			case strings.Contains(text, "out"):
				return actionsdk.Slots{"outdoor_seating": true}, nil
			case strings.Contains(text, "in"):
				return actionsdk.Slots{"outdoor_seating": false}, nil
			}
			out.Respond("utter_wrong_outdoor_seating", nil)
			return actionsdk.Slots{"outdoor_seating": nil}, nil
		},
	}})
	return &s
}
