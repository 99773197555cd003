// Package actionsdk is for writing action servers: the programs that run the
// custom actions of an assistant made with Loquat or Rasa. It speaks the protocol
// of Python's rasa-sdk, so either side can be replaced on its own.
//
// An action is a function. It reads the conversation from a [Tracker], says
// things through a [Dispatcher], and returns the events that follow:
//
//	func weather(ctx context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
//		degrees, err := forecast(ctx, t.Text("city"))
//		if err != nil {
//			return nil, err // nothing is said, and the assistant carries on
//		}
//		out.Sayf("It will be %.0f degrees.", degrees)
//		return []actionsdk.Event{actionsdk.SlotSet{Name: "temperature", Value: degrees}}, nil
//	}
//
// A [Server] knows actions by the names that the domain has for them:
//
//	var s actionsdk.Server
//	s.Action("action_weather", weather)
//	s.Form("booking_form", actionsdk.Validation{ … })
//	err := s.ListenAndServe(ctx, ":5055")
//
// and endpoints.yml of the assistant says where it is:
//
//	action_endpoint:
//	  url: http://localhost:5055/webhook
//
// # Forms and slots
//
// [Server.Form] registers what rasa-sdk calls a FormValidationAction: functions
// that judge the values of slots, functions that find values on their own, and
// one that decides which slots the form asks for. [Server.Slots] does the same
// outside of forms, as action_validate_slot_mappings.
//
// # Failing and refusing
//
// An action that returns an error or panics has failed: the assistant logs it and
// goes on without its events. One that returns [Reject] refuses to run in this
// situation, and the assistant predicts another action.
//
// # gRPC and tracing
//
// Package actiongrpc serves the same actions over gRPC, package actiontrace makes
// OpenTelemetry spans that continue the assistant's. This package depends on
// neither of the two.
//
// # Testing
//
// [Server.Run] runs an action without any network, so a test is a call with the
// tracker of its choice.
package actionsdk
