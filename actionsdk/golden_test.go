package actionsdk_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

type (
	out  = actionsdk.Dispatcher
	trk  = actionsdk.Tracker
	evts = []actionsdk.Event
)

// recorded has the actions of the Python server that was recorded.
func recorded() *actionsdk.Server {
	s := &actionsdk.Server{Logger: slog.New(slog.DiscardHandler)}
	s.Action("action_several", func(_ context.Context, out *out, _ *trk) (evts, error) {
		out.Say("Working on it.")
		out.Utter(actionsdk.Utterance{
			Text: "Pick.", Buttons: []actionsdk.Button{{Title: "Again", Payload: "/call_several"}}, Image: "https://example.com/several.png",
		})
		return evts{
			actionsdk.SlotSet{Name: "notes", Value: []string{"a", "b"}},
			actionsdk.SlotSet{Name: "mood", Value: "high"},
			actionsdk.SlotSet{Name: "blob", Value: map[string]any{"nested": map[string]any{"n": 1, "list": []any{1.5, nil, true}}}},
			actionsdk.ReminderScheduled{
				Intent: "greet", At: time.Date(2099, 1, 1, 12, 0, 0, 0, time.UTC), Name: "remind me", SurviveUserMessage: true,
				Entities: []map[string]any{{"entity": "city", "value": "Paris"}},
			},
			actionsdk.FollowupAction{Name: "utter_several"},
		}, nil
	})
	s.Action("action_reject", func(context.Context, *out, *trk) (evts, error) { return nil, actionsdk.Reject("not today") })
	s.Action("action_raise", func(_ context.Context, out *out, _ *trk) (evts, error) {
		out.Say("This is lost.")
		return nil, errors.New("broken on purpose")
	})
	s.Action("action_dynamic", func(_ context.Context, out *out, _ *trk) (evts, error) {
		out.Respond("utter_dynamic", map[string]any{"value": "seven"})
		out.Utter(actionsdk.Utterance{Response: "utter_menu", Text: "Overridden text.", Buttons: []actionsdk.Button{{Title: "More", Payload: "/deny"}}})
		out.Respond("utter_not_there", nil)
		out.Utter(actionsdk.Utterance{Custom: map[string]any{"kind": "card", "n": 3}})
		return nil, nil
	})
	s.Form("booking_form", actionsdk.Validation{Validate: map[string]actionsdk.ValidateFunc{
		"cuisine": func(_ context.Context, value any, out *out, _ *trk) (actionsdk.Slots, error) {
			if value == "italian" || value == "thai" || value == "mexican" {
				return nil, nil
			}
			out.Sayf("We have no %v kitchen.", value)
			return actionsdk.Slots{"cuisine": nil}, nil
		},
		"people": func(_ context.Context, value any, out *out, _ *trk) (actionsdk.Slots, error) {
			n, err := strconv.Atoi(jsonText(value))
			if err != nil {
				return actionsdk.Slots{"people": nil}, nil
			}
			if n > 20 {
				out.Say("Too many people.")
				return actionsdk.Slots{"people": nil}, nil
			}
			return actionsdk.Slots{"people": n}, nil
		},
	}})
	return s
}

func jsonText(v any) string {
	data, _ := json.Marshal(v)
	return string(data)
}

// TestAnswersAsRasaSDK compares with the recording of rasa-sdk 3.6.2.
func TestAnswersAsRasaSDK(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(sharedtest.Dir(t, "data", "golden"), "http", "action_server", "sdk.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Exchanges []struct {
			ID      string
			Request struct {
				Method, Path string
				Headers      map[string]string
				JSON         any
			}
			Status  int
			Headers map[string]string
			JSON    any
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var several any
	for _, x := range file.Exchanges {
		if x.ID == "several" {
			several = x.Request.JSON
		}
	}
	h := recorded().Handler()
	for _, x := range file.Exchanges {
		t.Run(x.ID, func(t *testing.T) {
			var body []byte
			switch {
			case x.ID == "several-deflate":
				var b bytes.Buffer
				z := zlib.NewWriter(&b)
				_, _ = z.Write([]byte(jsonText(several)))
				_ = z.Close()
				body = b.Bytes()
			case x.ID == "several-gzip":
				var b bytes.Buffer
				z := gzip.NewWriter(&b)
				_, _ = z.Write([]byte(jsonText(several)))
				_ = z.Close()
				body = b.Bytes()
			case x.ID == "null":
				body = []byte("null")
			case x.ID == "bad-json":
				body = []byte(`{"next_action":`)
			case x.Request.JSON != nil:
				body = []byte(jsonText(x.Request.JSON))
			}
			r := httptest.NewRequest(x.Request.Method, x.Request.Path, bytes.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			for k, v := range x.Request.Headers {
				r.Header.Set(k, v)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if w.Code != x.Status {
				t.Errorf("status %d, want %d: %s", w.Code, x.Status, w.Body)
			}
			if x.JSON == nil {
				if got := w.Body.String(); got != "" && got != "null" {
					t.Errorf("body %q", got)
				}
				return
			}
			var got any
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			normalise(got, x.JSON, x.Request.JSON)
			if !reflect.DeepEqual(got, x.JSON) {
				t.Errorf("got  %s\nwant %s", jsonText(got), jsonText(x.JSON))
			}
		})
	}
}

// normalise puts placeholders of the recording in place, and forgives the zone of
// reminders, which Go's times always have.
func normalise(got, want, request any) {
	w, ok := want.(map[string]any)
	g, alsoOK := got.(map[string]any)
	if !ok || !alsoOK {
		return
	}
	if w["request_body"] == "<the request>" && reflect.DeepEqual(g["request_body"], request) {
		g["request_body"] = w["request_body"]
	}
	events, _ := g["events"].([]any)
	for _, e := range events {
		if m := e.(map[string]any); m["date_time"] == "2099-01-01T12:00:00Z" {
			m["date_time"] = "2099-01-01T12:00:00"
		}
	}
}

func post(h http.Handler, body string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/webhook", bytes.NewReader([]byte(body))))
	return w
}
