package actionsdk_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loquat-dev/loquat/actionsdk"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func serverOf(actions map[string]actionsdk.Func) *actionsdk.Server {
	s := &actionsdk.Server{Logger: slog.New(slog.DiscardHandler)}
	for name, f := range actions {
		s.Action(name, f)
	}
	return s
}

func TestAPanicIsAFailedAction(t *testing.T) {
	s := serverOf(map[string]actionsdk.Func{"action_x": func(context.Context, *out, *trk) (evts, error) {
		panic("the thermometer broke")
	}})
	w := post(s.Handler(), `{"next_action":"action_x","tracker":{}}`)
	if w.Code != http.StatusInternalServerError || !strings.Contains(w.Body.String(), "panicked") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := post(s.Handler(), `{"next_action":"action_y","tracker":{}}`); w.Code != http.StatusNotFound {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}

func TestWrongTypesInATrackerDoNotStopAnAction(t *testing.T) {
	s := serverOf(map[string]actionsdk.Func{"action_x": func(_ context.Context, out *out, t *trk) (evts, error) {
		out.Sayf("%d %q %q %v", len(t.Events), t.LatestMessage.Text, t.ActiveLoop, t.Slots)
		return nil, nil
	}})
	for _, tracker := range []string{
		`null`, `[]`, `5`, `"x"`, `{"slots":[],"events":{},"latest_message":"hi","active_loop":[]}`,
		`{"events":[null,5,{"event":7,"name":[]}],"latest_message":{"intent":[],"entities":[1,{"entity":5,"start":"x"}]},"slots":null}`,
	} {
		if w := post(s.Handler(), `{"next_action":"action_x","tracker":`+tracker+`}`); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", tracker, w.Code, w.Body)
		}
	}
}

func TestLargeRequestsAreRefused(t *testing.T) {
	s := recorded()
	s.MaxBody = 1000
	if w := post(s.Handler(), `{"next_action":"`+strings.Repeat("a", 2000)+`"}`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	deep := `{"next_action":"action_several","tracker":` + strings.Repeat(`[`, 400) + strings.Repeat(`]`, 400) + `}`
	if w := post(s.Handler(), deep); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.MaxBody = 0
	if w := post(s.Handler(), strings.Repeat(`[`, 100_000)); w.Code != http.StatusBadRequest {
		t.Errorf("deep: %d", w.Code)
	}
}

func TestTheDomainIsAskedForByItsDigest(t *testing.T) {
	s := serverOf(map[string]actionsdk.Func{"action_x": func(_ context.Context, out *out, t *trk) (evts, error) {
		out.Say(strings.Join(t.Domain().RequiredSlots("f"), " "))
		return nil, nil
	}})
	h := s.Handler()
	send := func(extra string) (int, string) {
		w := post(h, `{"next_action":"action_x","tracker":{}`+extra+`}`)
		var answer struct {
			Responses  []struct{ Text *string }
			ActionName string `json:"action_name"`
		}
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.Responses) == 0 {
			return w.Code, answer.ActionName
		}
		if answer.Responses[0].Text == nil {
			return w.Code, ""
		}
		return w.Code, *answer.Responses[0].Text
	}
	for _, c := range []struct {
		extra, text string
		status      int
	}{
		{`,"domain_digest":"d1"`, "action_x", 449},
		{`,"domain_digest":"d1","domain":{"forms":{"f":{"required_slots":["a"]}}}`, "a", 200},
		{`,"domain_digest":"d1"`, "a", 200},
		{`,"domain_digest":"d2"`, "action_x", 449},
		{`,"domain_digest":"d2","domain":{"forms":{"f":{"required_slots":["b"]}}}`, "b", 200},
		{`,"domain_digest":"d1"`, "a", 200},
		{``, "", 200}, // Rasa 3.6 leaves it out when an action does not ask for it
	} {
		if status, text := send(c.extra); status != c.status || text != c.text {
			t.Errorf("%s: got %d %q, want %d %q", c.extra, status, text, c.status, c.text)
		}
	}
	for i := range 50 { // other assistants come and go, and nothing piles up
		send(fmt.Sprintf(`,"domain_digest":"x%d","domain":{"a":1}`, i))
	}
	if status, _ := send(`,"domain_digest":"d1"`); status != 449 {
		t.Errorf("an old domain is still there: %d", status)
	}
}

func TestNumbersStayWhatTheyAre(t *testing.T) {
	s := serverOf(map[string]actionsdk.Func{"action_x": func(_ context.Context, _ *out, t *trk) (evts, error) {
		return evts{actionsdk.SlotSet{Name: "all", Value: []any{t.Slot("i"), t.Slot("f"), t.Slot("l"), math.NaN(), []float64{2}}}}, nil
	}})
	w := post(s.Handler(), `{"next_action":"action_x","tracker":{"slots":{"i":4,"f":5.0,"l":[1.0,"<b>"]}}}`)
	if want := `[4,5.0,[1.0,"<b>"],null,[2.0]]`; !strings.Contains(w.Body.String(), want) {
		t.Errorf("got %s, want %s in it", w.Body, want)
	}
}

func TestEventsSurviveTheirJSON(t *testing.T) {
	half := 0.5
	base := actionsdk.Base{Timestamp: 12.5, Metadata: map[string]any{"m": "n"}}
	events := evts{
		actionsdk.SlotSet{base, "a", "b"}, actionsdk.FollowupAction{base, "a"},
		actionsdk.ReminderScheduled{base, "i", time.Date(2030, 1, 2, 3, 4, 5, 6000, time.UTC), nil, "n", true},
		actionsdk.ReminderScheduled{Intent: "i", At: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		actionsdk.ReminderCancelled{base, "n", "i", nil}, actionsdk.ActiveLoop{base, "f"}, actionsdk.ActiveLoop{},
		actionsdk.LoopInterrupted{base, true}, actionsdk.ActionExecutionRejected{base, "a", "p", &half}, actionsdk.ActionExecuted{base, "a", "", nil},
		actionsdk.UserUttered{base, "hi", map[string]any{"intent": map[string]any{"name": "x"}}, "rest", "id"},
		actionsdk.BotUttered{base, "hi", map[string]any{"image": "x"}}, actionsdk.AgentUttered{base, "hi", "data"},
		actionsdk.EntitiesAdded{base, []actionsdk.Entity{{Entity: "e", Value: "v", Role: "r", Group: "g", Start: 1, End: 2}}},
		actionsdk.AllSlotsReset{base}, actionsdk.SessionStarted{base}, actionsdk.Restarted{base}, actionsdk.ConversationPaused{base},
		actionsdk.ConversationResumed{base}, actionsdk.UserUtteranceReverted{base}, actionsdk.ActionReverted{base}, actionsdk.StoryExported{base},
		actionsdk.OtherEvent{base, "session_ended", map[string]any{"x": "y"}},
	}
	var objects []any
	for _, e := range events {
		objects = append(objects, actionsdk.EventObject(e))
	}
	call, err := actionsdk.ParseCall([]byte(`{"next_action":"a","tracker":{"events":` + jsonText(objects) + `}}`))
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range call.Tracker.Events {
		if !reflect.DeepEqual(got, events[i]) {
			t.Errorf("got %#v, want %#v", got, events[i])
		}
	}
	if len(call.Tracker.Events) != len(events) {
		t.Errorf("%d events, want %d", len(call.Tracker.Events), len(events))
	}
}

func TestTrackerAnswersQuestions(t *testing.T) {
	call, err := actionsdk.ParseCall([]byte(`{"next_action":"a","sender_id":"u","tracker":{"sender_id":"u","paused":true,"user_id":"7",
		"slots":{"n":"4.5","i":3,"b":true,"t":"x"},"active_loop":{"name":"f"},"latest_action_name":"action_listen","stack":[{"flow_id":"q"}],
		"latest_message":{"text":"to Riga","message_id":"m","intent":{"name":"go","confidence":0.5},
			"entities":[{"entity":"city","value":1},{"entity":"city","value":"P","role":"to"},{"entity":"city","value":"Q","group":"1"}]},
		"events":[{"event":"slot","name":"old","value":1},{"event":"restart"},{"event":"user","text":"u","input_channel":"tg","parse_data":{}},{"event":"bot","text":"q"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	tr := call.Tracker
	number, isNumber := tr.Number("n")
	last, _ := actionsdk.Last[actionsdk.BotUttered](tr)
	got := fmt.Sprint(
		tr.EntityValues("city"), tr.EntityValues("city", actionsdk.WithRole("to")), tr.EntityValues("city", actionsdk.WithGroup("1")),
		tr.LatestInputChannel(), " ", len(tr.EventsAfterRestart()), " ", last.Text, " ", number, isNumber, " ", tr.Text("i"), tr.Text("none"), tr.Bool("b"),
		" ", tr.ActiveLoop, tr.Paused, tr.UserID, tr.LatestActionName, tr.LatestMessage.Intent, tr.LatestMessage.Confidence, tr.Stack,
	)
	if want := "[1] [P] [Q]tg 2 q 4.5 true 3true ftrue7action_listengo0.5 [map[flow_id:q]]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestStoppingLetsActionsFinish(t *testing.T) {
	started, finish := make(chan bool), make(chan bool)
	s := serverOf(map[string]actionsdk.Func{"action_slow": func(ctx context.Context, out *out, _ *trk) (evts, error) {
		close(started)
		<-finish
		out.Say("done")
		return nil, ctx.Err()
	}})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan error, 1)
	go func() { stopped <- s.Serve(ctx, l) }()
	answer := make(chan string, 1)
	go func() {
		r, err := http.Post("http://"+l.Addr().String()+"/webhook", "application/json", strings.NewReader(`{"next_action":"action_slow","tracker":{}}`))
		if err != nil {
			answer <- err.Error()
			return
		}
		defer r.Body.Close()
		answer <- r.Status
	}()
	<-started
	stop()
	close(finish)
	if got := <-answer; got != "200 OK" {
		t.Errorf("the running action was answered %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

func TestOnlyListedOriginsMayCall(t *testing.T) {
	s := recorded()
	s.CORS = []string{"https://a.example"}
	for origin, want := range map[string]string{"https://a.example": "https://a.example", "https://b.example": ""} {
		r := httptest.NewRequest(http.MethodOptions, "/webhook", nil)
		r.Header.Set("Origin", origin)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if got := w.Header().Get("Access-Control-Allow-Origin"); got != want || w.Code != http.StatusOK {
			t.Errorf("%s: %d %q", origin, w.Code, got)
		}
	}
}

func TestNamesAreTakenOnce(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	s := recorded()
	s.Action("action_several", func(context.Context, *out, *trk) (evts, error) { return nil, nil })
}

// TestOtherModulesCanUseIt builds a program outside of this module, and makes
// sure that what it needs has no gRPC and no OpenTelemetry in it.
func TestOtherModulesCanUseIt(t *testing.T) {
	dir := t.TempDir()
	root := sharedtest.ModuleRoot(t)
	for name, text := range map[string]string{
		"go.mod": "module example.com/bot\n\ngo 1.26.0\n\nrequire github.com/loquat-dev/loquat v0.0.0\n\nreplace github.com/loquat-dev/loquat => " + root + "\n",
		"main.go": `package main

import "github.com/loquat-dev/loquat/actionsdk"

func main() {
	var s actionsdk.Server
	println(len(s.Actions()))
}
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sum, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"build", "-mod=mod", "-o", os.DevNull, "."}, {"list", "-mod=mod", "-deps", "."}} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off")
		data, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, data)
		}
		for _, heavy := range []string{"google.golang.org", "opentelemetry"} {
			if strings.Contains(string(data), heavy) {
				t.Errorf("it depends on %s:\n%s", heavy, data)
			}
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add(`{"next_action":"action_several","tracker":{"slots":{},"events":[{"event":"slot","name":"a","value":1}],"latest_message":{"entities":[{}]}},"domain":{"slots":{}}}`)
	f.Add(`{"next_action":"validate_booking_form","tracker":{"events":[{"event":"slot","name":"people","value":1}]},"domain":{"forms":{"booking_form":{"required_slots":["people"]}}},"domain_digest":"x"}`)
	h := recorded().Handler()
	f.Fuzz(func(t *testing.T, body string) {
		if w := post(h, body); w.Code == http.StatusInternalServerError && strings.Contains(w.Body.String(), "panicked") {
			t.Error(w.Body)
		}
	})
}
