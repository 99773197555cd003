"""Validates the form of rasa-formbot, as bench/samplebots does in Go."""

from rasa_sdk.forms import FormValidationAction

CUISINES = ["afghan", "caribbean", "chinese", "french", "greek", "indian", "italian", "mexican", "spanish"]


class ValidateRestaurantForm(FormValidationAction):
    def name(self):
        return "validate_restaurant_form"

    def validate_cuisine(self, value, dispatcher, tracker, domain):
        if str(value).lower() in CUISINES:
            return {"cuisine": str(value).lower()}
        dispatcher.utter_message(response="utter_wrong_cuisine")
        return {"cuisine": None}

    def validate_num_people(self, value, dispatcher, tracker, domain):
        try:
            number = float(tracker.get_slot("num_people"))
        except (TypeError, ValueError):
            number = 0
        if number > 0 and number == int(number):
            return {"num_people": int(number)}
        dispatcher.utter_message(response="utter_wrong_num_people")
        return {"num_people": None}

    def validate_outdoor_seating(self, value, dispatcher, tracker, domain):
        if not isinstance(value, str):
            return {"outdoor_seating": value}
        if "out" in value:
            return {"outdoor_seating": True}
        if "in" in value:
            return {"outdoor_seating": False}
        dispatcher.utter_message(response="utter_wrong_outdoor_seating")
        return {"outdoor_seating": None}
