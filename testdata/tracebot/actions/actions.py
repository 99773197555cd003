"""Custom actions of the assistant that the trace tests talk to."""

from rasa_sdk import Action
from rasa_sdk.events import FollowupAction, SlotSet
from rasa_sdk.interfaces import ActionExecutionRejection


class Weather(Action):
    def name(self):
        return "action_weather"

    def run(self, dispatcher, tracker, domain):
        dispatcher.utter_message(text="It is 21 degrees.")
        return [SlotSet("temperature", 21.0)]


class Fail(Action):
    def name(self):
        return "action_fail"

    def run(self, dispatcher, tracker, domain):
        raise ValueError("the thermometer broke")


class Reject(Action):
    def name(self):
        return "action_reject"

    def run(self, dispatcher, tracker, domain):
        raise ActionExecutionRejection(self.name(), "not today")


class Follow(Action):
    def name(self):
        return "action_follow"

    def run(self, dispatcher, tracker, domain):
        return [FollowupAction("utter_followed")]
