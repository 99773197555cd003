package actiontrace_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/actionsdk/actiontrace"
)

// A program chooses its SDK and hands its provider over.
func ExampleNew() {
	provider := sdktrace.NewTracerProvider() // with an exporter of your choice
	defer func() { _ = provider.Shutdown(context.Background()) }()

	var s actionsdk.Server
	s.Observer = actiontrace.New(provider)
}

const incoming = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

// trees runs requests and returns their spans, one a line, below one another.
func trees(t *testing.T, bodies ...string) (string, []sdktrace.ReadOnlySpan) {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	s := &actionsdk.Server{Logger: slog.New(slog.DiscardHandler), Observer: actiontrace.New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder)))}
	s.Action("action_weather", func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
		out.Respond("utter_weather", nil)
		return []actionsdk.Event{actionsdk.SlotSet{Name: "temperature", Value: 21.0}, actionsdk.SlotSet{Name: "requested_slot"}}, nil
	})
	s.Action("action_fail", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return nil, errors.New("a secret that the user told")
	})
	s.Action("action_reject", func(context.Context, *actionsdk.Dispatcher, *actionsdk.Tracker) ([]actionsdk.Event, error) {
		return nil, actionsdk.Reject("not today")
	})
	s.Form("booking_form", actionsdk.Validation{})
	for _, body := range bodies {
		r := httptest.NewRequest(http.MethodPost, "/webhook", strings.NewReader(body))
		r.Header.Set("traceparent", incoming)
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	spans := recorder.Ended()
	var b strings.Builder
	var write func(parent, indent string)
	write = func(parent, indent string) {
		for _, span := range spans {
			if span.Parent().SpanID().String() != parent {
				continue
			}
			var attributes []string
			for _, a := range span.Attributes() {
				attributes = append(attributes, fmt.Sprintf("%s=%s", a.Key, a.Value.String()))
			}
			slices.Sort(attributes)
			for _, e := range span.Events() {
				attributes = append(attributes, "!"+e.Name)
			}
			fmt.Fprintf(&b, "%s%s %s [%s]\n", indent, span.Name(), span.Status().Code, strings.Join(attributes, " "))
			write(span.SpanContext().SpanID().String(), indent+"  ")
		}
	}
	write("b7ad6b7169203331", "")
	return b.String(), spans
}

func TestSpansAreThoseOfRasaSDK(t *testing.T) {
	const tracker = `"version":"3.6.21","tracker":{"sender_id":"alice","latest_message":{"message_id":"m1"},"events":[{"event":"slot","name":"cuisine","value":"thai"}]},`
	got, spans := trees(t,
		`{"next_action":"action_weather",`+tracker+`"domain":{}}`,
		`{"next_action":"validate_booking_form",`+tracker+`"domain":{"forms":{"booking_form":{"required_slots":["cuisine"]}}}}`,
		`{"next_action":"action_fail",`+tracker+`"domain":{}}`,
		`{"next_action":"action_reject",`+tracker+`"domain":{}}`,
		`{"next_action":"action_none",`+tracker+`"domain":{}}`,
	)
	want := `create_app.webhook Unset [http.method=POST http.route=/webhook message_id=m1 next_action=action_weather sender_id=alice version=3.6.21]
  ActionExecutor.run Unset [action_name=action_weather sender_id=alice]
    ActionExecutor._create_api_response Unset [events=["slot"] message_count=1 slots=["temperature"] utters=["utter_weather"]]
create_app.webhook Unset [http.method=POST http.route=/webhook message_id=m1 next_action=validate_booking_form sender_id=alice version=3.6.21]
  ActionExecutor.run Unset [action_name=validate_booking_form sender_id=alice]
    FormValidationAction.ValidateBookingForm.run Unset [action_name=validate_booking_form class_name=ValidateBookingForm sender_id=alice slots_to_validate=["cuisine"]]
      FormValidationAction.ValidateBookingForm._extract_validation_events Unset [slots=["cuisine"] validation_events=["slot"]]
    ActionExecutor._create_api_response Unset [events=["slot"] message_count=0 slots=["cuisine"] utters=[]]
create_app.webhook Error [!exception]
  ActionExecutor.run Error [action_name=action_fail sender_id=alice !exception]
create_app.webhook Unset []
  ActionExecutor.run Unset [action_name=action_reject sender_id=alice !action_execution_rejected]
create_app.webhook Unset []
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, span := range spans {
		if span.SpanContext().TraceID().String() != "0af7651916cd43dd8448eb211c80319c" {
			t.Errorf("%s is in another trace", span.Name())
		}
		if strings.Contains(fmt.Sprint(span.Attributes(), span.Events(), span.Status()), "secret") {
			t.Errorf("%s tells what an action said", span.Name())
		}
	}
}
