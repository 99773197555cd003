// Command actions is the action server of the bot in the folder above: a form
// that is validated, a slot that only Go code can fill, and two actions.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/actionsdk/actiongrpc"
	"github.com/loquat-dev/loquat/actionsdk/actiontrace"
)

func main() {
	address := flag.String("address", ":5055", "where to listen")
	rpc := flag.Bool("grpc", false, "serve gRPC instead of HTTP")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	s := server(time.Now)
	s.Observer = actiontrace.New(nil) // spans go nowhere until otel.SetTracerProvider is called
	serve := s.ListenAndServe
	if *rpc {
		serve = func(ctx context.Context, address string) error { return actiongrpc.ListenAndServe(ctx, s, address) }
	}
	if err := serve(ctx, *address); err != nil {
		slog.Error("action server", "err", err)
		os.Exit(1)
	}
}

// server returns the bot's actions; now is the clock that they live by.
func server(now func() time.Time) *actionsdk.Server {
	var s actionsdk.Server
	s.Action("action_book", book)
	s.Action("action_opening_hours", openingHours(now))
	s.Form("booking_form", actionsdk.Validation{
		RequiredSlots: blanketsOutdoors,
		Extract:       map[string]actionsdk.ExtractFunc{"outdoors": findOutdoors, "blankets": findBlankets},
		Validate:      map[string]actionsdk.ValidateFunc{"cuisine": checkCuisine, "people": checkPeople},
	})
	return &s
}

// book confirms the booking and empties the form for the next one.
func book(_ context.Context, out *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]actionsdk.Event, error) {
	reference := fmt.Sprintf("%s-%s", strings.ToUpper(t.Text("cuisine")), t.Text("people"))
	out.Respond("utter_booked", map[string]any{"reference": reference})
	return []actionsdk.Event{actionsdk.AllSlotsReset{}}, nil
}

func openingHours(now func() time.Time) actionsdk.Func {
	return func(_ context.Context, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) ([]actionsdk.Event, error) {
		if h := now().Hour(); h >= 12 && h < 22 {
			out.Say("We are open until ten.")
		} else {
			out.Say("We open at noon.")
		}
		return nil, nil
	}
}

// blanketsOutdoors asks one question more when the table is outdoors.
func blanketsOutdoors(_ context.Context, declared []string, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) ([]string, error) {
	if t.Bool("outdoors") {
		return append(declared, "blankets"), nil
	}
	return declared, nil
}

// findOutdoors reads the answer to whether the table shall be outdoors.
func findOutdoors(_ context.Context, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	text := strings.ToLower(t.LatestMessage.Text)
	switch {
	case strings.Contains(text, "outdoor"), strings.Contains(text, "outside"):
		return actionsdk.Slots{"outdoors": true}, nil
	case strings.Contains(text, "indoor"), strings.Contains(text, "inside"):
		return actionsdk.Slots{"outdoors": false}, nil
	}
	return nil, nil
}

// findBlankets reads the number that answers how many blankets are needed.
func findBlankets(_ context.Context, _ *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	if t.Slot("requested_slot") != "blankets" {
		return nil, nil
	}
	for _, v := range t.EntityValues("number") {
		return actionsdk.Slots{"blankets": v}, nil
	}
	return nil, nil
}

func checkCuisine(_ context.Context, value any, out *actionsdk.Dispatcher, _ *actionsdk.Tracker) (actionsdk.Slots, error) {
	switch value {
	case "thai", "greek", "italian":
		return nil, nil // as it is
	}
	out.Say("We have thai, greek and italian food.")
	return actionsdk.Slots{"cuisine": nil}, nil
}

func checkPeople(_ context.Context, _ any, out *actionsdk.Dispatcher, t *actionsdk.Tracker) (actionsdk.Slots, error) {
	people, ok := t.Number("people")
	if !ok || people < 1 || people > 12 {
		out.Say("We have tables for up to twelve people.")
		return actionsdk.Slots{"people": nil}, nil
	}
	return actionsdk.Slots{"people": int(people)}, nil
}
