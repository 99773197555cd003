package samplebots

import (
	"context"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/actionsdk"
)

// The customer of financial-demo.
var (
	cards      = map[string]int{"emblem": 1250, "gringots": 4500, "iron bank": 750, "justice bank": 2125}
	recipients = []string{"Bob", "Karen", "Latisha", "Lisa"}
)

const account = 5000

// formsByIntent are the forms of financial-demo by the intents that begin them,
// with what they are called.
var formsByIntent = map[string]string{
	"pay_cc": "cc_payment_form", "transfer_money": "transfer_money_form", "search_transactions": "transaction_search_form", "check_earnings": "transaction_search_form",
}

var descriptions = map[string]string{
	"cc_payment_form": "credit card payment", "transfer_money_form": "money transfer", "transaction_search_form": "transaction search",
}

// bank has the actions of financial-demo.
func bank() *actionsdk.Server {
	var s actionsdk.Server
	s.Action("action_session_start", startSession)
	s.Action("action_restart", restart)
	s.Action("action_show_balance", showBalance)
	s.Action("action_show_recipients", func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Respond("utter_recipients", map[string]any{"formatted_recipients": "\n- " + strings.Join(recipients, "\n- ")})
		return nil, nil
	})
	s.Action("action_show_transfer_charge", func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Respond("utter_transfer_charge", nil)
		return nil, nil
	})
	for _, name := range []string{"action_handoff", "action_handoff_options"} {
		s.Action(name, func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
			out.Respond("utter_no_handoff", nil)
			return nil, nil
		})
	}
	s.Action("action_pay_cc", submit("utter_cc_pay_scheduled", "utter_cc_pay_cancelled", "credit_card", "amount-of-money", "time"))
	s.Action("action_transfer_money", submit("utter_transfer_complete", "utter_transfer_cancelled", "PERSON", "amount-of-money"))
	s.Action("action_transaction_search", submit("utter_searching_spend_transactions", "utter_transaction_search_cancelled", "search_type", "time"))
	s.Action("action_ask_transaction_search_form_zz_confirm_form", confirmSearch)
	s.Action("action_switch_forms_ask", askToSwitch)
	s.Action("action_switch_forms_deny", stay)
	s.Action("action_switch_forms_affirm", switchForms)
	s.Action("action_switch_back_ask", askToSwitchBack)
	for _, form := range []string{"cc_payment_form", "transfer_money_form", "transaction_search_form"} {
		s.Form(form, validation)
	}
	return &s
}

func startSession(_ context.Context, _ *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
	return []actionsdk.Event{
		actionsdk.SessionStarted{}, actionsdk.SlotSet{Name: "currency", Value: "$"}, actionsdk.ActionExecuted{Name: "action_listen"},
	}, nil
}

func restart(_ context.Context, _ *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
	return []actionsdk.Event{actionsdk.Restarted{}, actionsdk.FollowupAction{Name: "action_session_start"}}, nil
}

func showBalance(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	card := strings.ToLower(t.Text("credit_card"))
	balance, known := cards[card]
	switch {
	case t.Text("account_type") == "credit" && known:
		out.Respond("utter_credit_card_balance", map[string]any{"credit_card": card, "credit_card_balance": balance})
	case t.Text("account_type") == "credit":
		for _, card := range []string{"emblem", "gringots", "iron bank", "justice bank"} {
			out.Respond("utter_credit_card_balance", map[string]any{"credit_card": card, "credit_card_balance": cards[card]})
		}
	default:
		out.Respond("utter_account_balance", map[string]any{"init_account_balance": account})
	}
	return []actionsdk.Event{actionsdk.SlotSet{Name: "account_type"}, actionsdk.SlotSet{Name: "payment_amount_type", Value: ""}}, nil
}

// submit ends a form: it says what was done, or that nothing was, and empties it.
func submit(done, cancelled string, slots ...string) actionsdk.Func {
	return func(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
		if t.Text("zz_confirm_form") == "yes" {
			out.Respond(done, map[string]any{"time_formatted": t.Text("time"), "payment_amount_type": ""})
		} else {
			out.Respond(cancelled, nil)
		}
		var events []actionsdk.Event
		for _, name := range append(slices.Clone(slots), "AA_CONTINUE_FORM", "zz_confirm_form") {
			events = append(events, actionsdk.SlotSet{Name: name})
		}
		return events, nil
	}
}

var yesOrNo = []actionsdk.Button{{Title: "Yes", Payload: "/affirm"}, {Title: "No", Payload: "/deny"}}

func confirmSearch(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	what := "spending"
	if t.Text("search_type") == "deposit" {
		what = "earnings"
	}
	out.Utter(actionsdk.Utterance{Text: "Shall I search your " + what + " of " + t.Text("time") + "?", Buttons: yesOrNo})
	return nil, nil
}

func askToSwitch(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	next, known := formsByIntent[t.LatestMessage.Intent]
	if !known || next == t.ActiveLoop {
		return []actionsdk.Event{actionsdk.SlotSet{Name: "next_form_name"}}, nil
	}
	out.Utter(actionsdk.Utterance{
		Text: "We have not finished the " + descriptions[t.ActiveLoop] + ". Switch to the " + descriptions[next] + "?", Buttons: yesOrNo,
	})
	return []actionsdk.Event{actionsdk.SlotSet{Name: "next_form_name", Value: next}}, nil
}

func stay(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	out.Say("Let us go on with the " + descriptions[t.ActiveLoop] + ".")
	return []actionsdk.Event{actionsdk.SlotSet{Name: "next_form_name"}}, nil
}

func switchForms(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	out.Say("Then the " + descriptions[t.Text("next_form_name")] + ", and the " + descriptions[t.ActiveLoop] + " later.")
	return []actionsdk.Event{
		actionsdk.SlotSet{Name: "previous_form_name", Value: t.ActiveLoop}, actionsdk.SlotSet{Name: "next_form_name"},
	}, nil
}

func askToSwitchBack(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	out.Utter(actionsdk.Utterance{Text: "Back to the " + descriptions[t.Text("previous_form_name")] + "?", Buttons: yesOrNo})
	return []actionsdk.Event{actionsdk.SlotSet{Name: "previous_form_name"}}, nil
}
