"""The actions of financial-demo, as bench/samplebots has them in Go."""

from rasa_sdk import Action
from rasa_sdk.events import ActionExecuted, FollowupAction, Restarted, SessionStarted, SlotSet
from rasa_sdk.forms import FormValidationAction

CARDS = {"emblem": 1250, "gringots": 4500, "iron bank": 750, "justice bank": 2125}
RECIPIENTS = ["Bob", "Karen", "Latisha", "Lisa"]
ACCOUNT = 5000
FORMS = {
    "pay_cc": "cc_payment_form",
    "transfer_money": "transfer_money_form",
    "search_transactions": "transaction_search_form",
    "check_earnings": "transaction_search_form",
}
DESCRIPTIONS = {
    "cc_payment_form": "credit card payment",
    "transfer_money_form": "money transfer",
    "transaction_search_form": "transaction search",
}
YES_OR_NO = [{"title": "Yes", "payload": "/affirm"}, {"title": "No", "payload": "/deny"}]


class StartSession(Action):
    def name(self):
        return "action_session_start"

    def run(self, dispatcher, tracker, domain):
        return [SessionStarted(), SlotSet("currency", "$"), ActionExecuted("action_listen")]


class Restart(Action):
    def name(self):
        return "action_restart"

    def run(self, dispatcher, tracker, domain):
        return [Restarted(), FollowupAction("action_session_start")]


class ShowBalance(Action):
    def name(self):
        return "action_show_balance"

    def run(self, dispatcher, tracker, domain):
        card = (tracker.get_slot("credit_card") or "").lower()
        credit = tracker.get_slot("account_type") == "credit"
        if credit and card in CARDS:
            dispatcher.utter_message(response="utter_credit_card_balance", credit_card=card, credit_card_balance=CARDS[card])
        elif credit:
            for card in sorted(CARDS):
                dispatcher.utter_message(response="utter_credit_card_balance", credit_card=card, credit_card_balance=CARDS[card])
        else:
            dispatcher.utter_message(response="utter_account_balance", init_account_balance=ACCOUNT)
        return [SlotSet("account_type", None), SlotSet("payment_amount_type", "")]


class ShowRecipients(Action):
    def name(self):
        return "action_show_recipients"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_recipients", formatted_recipients="\n- " + "\n- ".join(RECIPIENTS))
        return []


class ShowTransferCharge(Action):
    def name(self):
        return "action_show_transfer_charge"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_transfer_charge")
        return []


class Handoff(Action):
    def name(self):
        return "action_handoff"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(response="utter_no_handoff")
        return []


class HandoffOptions(Handoff):
    def name(self):
        return "action_handoff_options"


class Submit(Action):
    done, cancelled, slots = "", "", []

    def name(self):
        return "action_submit"

    def run(self, dispatcher, tracker, domain):
        if tracker.get_slot("zz_confirm_form") == "yes":
            dispatcher.utter_message(response=self.done, time_formatted=tracker.get_slot("time") or "", payment_amount_type="")
        else:
            dispatcher.utter_message(response=self.cancelled)
        return [SlotSet(name, None) for name in self.slots + ["AA_CONTINUE_FORM", "zz_confirm_form"]]


class PayCC(Submit):
    done, cancelled = "utter_cc_pay_scheduled", "utter_cc_pay_cancelled"
    slots = ["credit_card", "amount-of-money", "time"]

    def name(self):
        return "action_pay_cc"


class TransferMoney(Submit):
    done, cancelled = "utter_transfer_complete", "utter_transfer_cancelled"
    slots = ["PERSON", "amount-of-money"]

    def name(self):
        return "action_transfer_money"


class TransactionSearch(Submit):
    done, cancelled = "utter_searching_spend_transactions", "utter_transaction_search_cancelled"
    slots = ["search_type", "time"]

    def name(self):
        return "action_transaction_search"


class ConfirmSearch(Action):
    def name(self):
        return "action_ask_transaction_search_form_zz_confirm_form"

    def run(self, dispatcher, tracker, domain):
        what = "earnings" if tracker.get_slot("search_type") == "deposit" else "spending"
        time = tracker.get_slot("time") or ""
        dispatcher.utter_message(text=f"Shall I search your {what} of {time}?", buttons=YES_OR_NO)
        return []


class AskToSwitch(Action):
    def name(self):
        return "action_switch_forms_ask"

    def run(self, dispatcher, tracker, domain):
        active = tracker.active_loop.get("name")
        following = FORMS.get(tracker.get_intent_of_latest_message())
        if following is None or following == active:
            return [SlotSet("next_form_name", None)]
        dispatcher.utter_message(
            text=f"We have not finished the {DESCRIPTIONS.get(active, '')}. Switch to the {DESCRIPTIONS[following]}?", buttons=YES_OR_NO
        )
        return [SlotSet("next_form_name", following)]


class Stay(Action):
    def name(self):
        return "action_switch_forms_deny"

    def run(self, dispatcher, tracker, domain):
        active = tracker.active_loop.get("name")
        dispatcher.utter_message(text=f"Let us go on with the {DESCRIPTIONS.get(active, '')}.")
        return [SlotSet("next_form_name", None)]


class SwitchForms(Action):
    def name(self):
        return "action_switch_forms_affirm"

    def run(self, dispatcher, tracker, domain):
        active = tracker.active_loop.get("name")
        following = tracker.get_slot("next_form_name")
        dispatcher.utter_message(text=f"Then the {DESCRIPTIONS.get(following, '')}, and the {DESCRIPTIONS.get(active, '')} later.")
        return [SlotSet("previous_form_name", active), SlotSet("next_form_name", None)]


class AskToSwitchBack(Action):
    def name(self):
        return "action_switch_back_ask"

    def run(self, dispatcher, tracker, domain):
        previous = tracker.get_slot("previous_form_name")
        dispatcher.utter_message(text=f"Back to the {DESCRIPTIONS.get(previous, '')}?", buttons=YES_OR_NO)
        return [SlotSet("previous_form_name", None)]


def failures(tracker):
    try:
        return int(tracker.get_slot("repeated_validation_failures") or 0)
    except (TypeError, ValueError):
        return 0


def right(slot, value):
    return dict(sorted({slot: value, "repeated_validation_failures": 0}.items()))


def wrong(slot, response, dispatcher, tracker):
    dispatcher.utter_message(response=response)
    slots = {slot: None, "repeated_validation_failures": failures(tracker) + 1}
    if failures(tracker) + 1 >= 2:
        slots["AA_CONTINUE_FORM"] = None
    return dict(sorted(slots.items()))


def confirmed(slot, value, tracker, domain):
    if value in (True, "yes", "True"):
        return {slot: "yes"}
    if value in (False, "no", "False"):
        slots = {slot: "no", "zz_confirm_form": "no"}
        for name in domain["forms"][tracker.active_loop.get("name")]["required_slots"]:
            if slots.get(name) is None and tracker.get_slot(name) is None:
                slots[name] = "none"
        return dict(sorted(slots.items()))
    return {slot: None}


class BankForm(FormValidationAction):
    def name(self):
        return "validate_bank_form"

    def extract_AA_CONTINUE_FORM(self, dispatcher, tracker, domain):
        if tracker.get_slot("AA_CONTINUE_FORM") is None and failures(tracker) < 2:
            return {"AA_CONTINUE_FORM": "yes"}
        return {}

    def validate_AA_CONTINUE_FORM(self, value, dispatcher, tracker, domain):
        return confirmed("AA_CONTINUE_FORM", value, tracker, domain)

    def validate_zz_confirm_form(self, value, dispatcher, tracker, domain):
        return confirmed("zz_confirm_form", value, tracker, domain)

    def validate_credit_card(self, value, dispatcher, tracker, domain):
        if str(value).lower() in CARDS:
            return right("credit_card", str(value).lower())
        return wrong("credit_card", "utter_no_creditcard", dispatcher, tracker)

    def validate_PERSON(self, value, dispatcher, tracker, domain):
        for name in RECIPIENTS:
            if name.lower() == str(value).lower():
                return right("PERSON", name)
        return wrong("PERSON", "utter_unknown_recipient", dispatcher, tracker)

    def validate_amount_of_money(self, value, dispatcher, tracker, domain):
        text = str(value).removeprefix("$")
        balance = CARDS.get(tracker.get_slot("credit_card") or "", 0)
        if balance and text in ("current balance", "minimum balance"):
            if text == "minimum balance":
                balance /= 25
            return {**right("amount-of-money", f"{balance:.2f}"), "payment_amount_type": f" (your {text})"}
        try:
            number = float(text)
        except ValueError:
            number = 0
        if number <= 0:
            return wrong("amount-of-money", "utter_no_payment_amount", dispatcher, tracker)
        if number > ACCOUNT:
            return wrong("amount-of-money", "utter_insufficient_funds", dispatcher, tracker)
        return right("amount-of-money", f"{number:.2f}")

    def validate_time(self, value, dispatcher, tracker, domain):
        text = str(value)
        day = text.split("T")[0]
        parts = day.split("-")
        if len(parts) == 3 and len(parts[0]) == 4:
            slots = {**right("time", text), "time_formatted": day}
            return dict(sorted(slots.items()))
        return wrong("time", "utter_no_paymentdate", dispatcher, tracker)

    def validate_search_type(self, value, dispatcher, tracker, domain):
        if value in ("spend", "deposit"):
            return right("search_type", value)
        return wrong("search_type", "utter_no_transactdate", dispatcher, tracker)


class ValidateCCPaymentForm(BankForm):
    def name(self):
        return "validate_cc_payment_form"


class ValidateTransferMoneyForm(BankForm):
    def name(self):
        return "validate_transfer_money_form"


class ValidateTransactionSearchForm(BankForm):
    def name(self):
        return "validate_transaction_search_form"
