package golden

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// replay sends the recorded requests of one file in order and compares the
// answers.
type replay struct {
	report  Report
	file    *httpFile
	server  *server
	client  *http.Client
	spoiled map[string]string // conversations that went through something not built, and why

	secondUser map[string]moment // see remember
}

func (r *replay) run() {
	r.client = &http.Client{
		Timeout:       15 * time.Second,
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer r.client.CloseIdleConnections()
	for i := range r.file.Exchanges {
		r.exchange(&r.file.Exchanges[i])
	}
	r.events()
}

// exchange compares one exchange if everything that it needs is built.
func (r *replay) exchange(e *exchange) {
	id := e.conversation()
	switch {
	case e.needsUnbuiltRoute():
		if id == "" {
			r.report.notCovered("needs " + e.Request.Method + " " + e.Request.Path)
			return
		}
		r.spoiled[id] = "needs " + e.Request.Method + " " + e.Request.Path
	case strings.Contains(r.file.Setup.Models, "empty") && e.Response.Status == http.StatusConflict && !e.isBuilt():
		r.report.notCovered("needs " + e.Request.Path)
		return
	}
	if reason := r.spoiled[id]; reason != "" && !e.isRefused() { // who may not pass learns nothing about the state
		r.report.notCovered(reason)
		return
	}
	known, listed := differences[strings.TrimSuffix(r.file.name, ".json")+"/"+e.ID]
	switch {
	case listed && known.unbuilt:
		r.report.notCovered(known.why)
	case listed && known.skip:
		r.report.listed()
	default:
		difference := r.compare(e, known.tail)
		if listed && !known.tail && difference != "" {
			r.report.listed()
			return
		}
		if known.tail && difference == "" {
			r.report.listed()
			return
		}
		r.report.equal(e.ID, difference)
	}
}

// isRefused reports whether the client was turned away at the door.
func (e *exchange) isRefused() bool {
	return e.Response.Status == http.StatusUnauthorized || e.Response.Status == http.StatusForbidden
}

// isBuilt reports whether the exchange's route exists here.
func (e *exchange) isBuilt() bool {
	saved := e.Response.Status
	e.Response.Status = 200
	defer func() { e.Response.Status = saved }()
	return !e.needsUnbuiltRoute()
}

// compare sends the request and describes the first difference. With tail set,
// only as many of the last events are compared as were recorded.
// remember keeps the time of the second message of a conversation's session,
// which later requests ask for.
// queryValue fills in times that were only known when the recording was made.
// compareTail compares two trackers by as many of the last events as were
// recorded, and by everything else.
// list makes a JSON list of values, leaving out empty ones.
// comparable leaves of an error body what is not incidental.
// send makes the request as it was recorded.
// answer is what came back.
// compareRaw writes recorded bytes to a connection. Only the status is compared.
// concurrent sends the recorded messages of one conversation while the first is
// still being answered. They must be answered in the order of their arrival.
func (r *replay) concurrent() {
	answers := r.file.Concurrent.Answers
	differences := make([]string, len(answers))
	var wg sync.WaitGroup
	for i, a := range answers {
		wg.Go(func() {
			e := &exchange{}
			e.Request.Method, e.Request.Path = http.MethodPost, "/webhooks/rest/webhook"
			e.Request.JSON = fmt.Appendf(nil, `{"sender": "l7", "message": %q}`, a.Message)
			got, err := r.send(e)
			switch {
			case err != nil:
				differences[i] = err.Error()
			case got.status != a.Status:
				differences[i] = fmt.Sprintf("status %d, want %d", got.status, a.Status)
			default:
				differences[i] = compareJSON(got.body, a.JSON)
			}
		})
		time.Sleep(200 * time.Millisecond)
	}
	wg.Wait()
	for i, a := range answers {
		r.report.equal("concurrent/"+a.Message, differences[i])
	}
}

// events posts each recorded event to a fresh conversation.
func (r *replay) events() {
	for kind, cases := range r.file.Events {
		for i, c := range cases {
			name := fmt.Sprintf("%s-%d", strings.ReplaceAll(kind, " ", "-"), i)
			difference := r.event(name, c)
			if _, listed := differences["tracker_events/event/"+name]; listed && difference != "" {
				r.report.listed()
				continue
			}
			r.report.equal("event/"+name, difference)
		}
	}
}

func (r *replay) event(name string, c eventRecord) string {
	e := &exchange{}
	e.Request.Method = http.MethodPost
	e.Request.Path = "/conversations/event-" + name + "/tracker/events"
	e.Request.Query = map[string]string{"include_events": "ALL"}
	e.Request.Headers = map[string]string{"Content-Type": "application/json"}
	e.Request.JSON = c.Posted
	got, err := r.send(e)
	switch {
	case err != nil:
		return err.Error()
	case got.status != c.Status:
		return fmt.Sprintf("status %d, want %d: %.200s", got.status, c.Status, got.body)
	case c.Error != nil:
		return compareJSON(got.body, c.Error)
	}
	var state struct{ Events []json.RawMessage }
	var want []json.RawMessage
	if err := errors.Join(json.Unmarshal(got.body, &state), json.Unmarshal(c.Returned, &want)); err != nil || len(state.Events) < len(want) {
		return fmt.Sprintf("no events: %v %.200s", err, got.body)
	}
	var returned [][]byte
	for _, event := range state.Events[len(state.Events)-len(want):] { // a session started before
		returned = append(returned, event)
	}
	if d := compareJSON(list(returned), c.Returned); d != "" {
		return d
	}
	return compareJSON(without(got.body, "sender_id", "events"), without(c.Tracker, "sender_id", "events"))
}
