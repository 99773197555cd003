package samplebots

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/actionsdk"
)

// validation judges the slots of all forms of financial-demo. AA_CONTINUE_FORM is
// asked for only after two values in a row that were no good.
var validation = actionsdk.Validation{
	Extract: map[string]actionsdk.ExtractFunc{"AA_CONTINUE_FORM": goOn},
	Validate: map[string]actionsdk.ValidateFunc{
		"AA_CONTINUE_FORM": confirmed("AA_CONTINUE_FORM"),
		"zz_confirm_form":  confirmed("zz_confirm_form"),
		"credit_card":      card,
		"PERSON":           recipient,
		"amount-of-money":  amount,
		"time":             date,
		"search_type":      direction,
	},
}

// goOn decides that the form goes on, as long as nothing speaks against it.
func goOn(_ context.Context, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	failures, _ := t.Number("repeated_validation_failures")
	if t.Slot("AA_CONTINUE_FORM") == nil && failures < 2 {
		return actionsdk.Slots{"AA_CONTINUE_FORM": "yes"}, nil
	}
	return nil, nil
}

// confirmed takes yes and no. A no ends the form: the other slots count as filled.
func confirmed(slot string) actionsdk.ValidateFunc {
	return func(_ context.Context, value any, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
		switch value {
		case true, "yes", "True":
			return actionsdk.Slots{slot: "yes"}, nil
		case false, "no", "False":
			slots := actionsdk.Slots{slot: "no", "zz_confirm_form": "no"}
			for _, name := range t.Domain().RequiredSlots(t.ActiveLoop) {
				if slots[name] == nil && t.Slot(name) == nil {
					slots[name] = "none"
				}
			}
			return slots, nil
		}
		return actionsdk.Slots{slot: nil}, nil
	}
}

// wrong says what is wrong with a value and empties its slot.
func wrong(slot, response string, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	out.Respond(response, nil)
	failures, _ := t.Number("repeated_validation_failures")
	slots := actionsdk.Slots{slot: nil, "repeated_validation_failures": int(failures) + 1}
	if failures+1 >= 2 {
		slots["AA_CONTINUE_FORM"] = nil
	}
	return slots, nil
}

func right(slot string, value any) (actionsdk.Slots, error) {
	return actionsdk.Slots{slot: value, "repeated_validation_failures": 0}, nil
}

func card(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	name := strings.ToLower(fmt.Sprint(value))
	if _, known := cards[name]; !known {
		return wrong("credit_card", "utter_no_creditcard", out, t)
	}
	return right("credit_card", name)
}

func recipient(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	for _, name := range recipients {
		if strings.EqualFold(name, fmt.Sprint(value)) {
			return right("PERSON", name)
		}
	}
	return wrong("PERSON", "utter_unknown_recipient", out, t)
}

// amount takes a number, or the balance that is to be paid.
func amount(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	text := strings.TrimPrefix(fmt.Sprint(value), "$")
	if balance := float64(cards[t.Text("credit_card")]); balance > 0 && (text == "current balance" || text == "minimum balance") {
		if text == "minimum balance" {
			balance /= 25
		}
		slots, err := right("amount-of-money", strconv.FormatFloat(balance, 'f', 2, 64))
		slots["payment_amount_type"] = " (your " + text + ")"
		return slots, err
	}
	n, err := strconv.ParseFloat(text, 64)
	switch {
	case err != nil || n <= 0:
		return wrong("amount-of-money", "utter_no_payment_amount", out, t)
	case n > account:
		return wrong("amount-of-money", "utter_insufficient_funds", out, t)
	}
	return right("amount-of-money", strconv.FormatFloat(n, 'f', 2, 64))
}

// date takes a time as an entity, or a day.
func date(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	text := fmt.Sprint(value)
	day, _, _ := strings.Cut(text, "T")
	if parts := strings.Split(day, "-"); len(parts) == 3 && len(parts[0]) == 4 {
		slots, err := right("time", text)
		slots["time_formatted"] = day
		return slots, err
	}
	return wrong("time", "utter_no_paymentdate", out, t)
}

func direction(_ context.Context, value any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	if slices.Contains([]any{"spend", "deposit"}, value) {
		return right("search_type", value)
	}
	return wrong("search_type", "utter_no_transactdate", out, t)
}
