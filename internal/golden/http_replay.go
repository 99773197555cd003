package golden

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
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
	all     string            // the same for the whole server

	secondUser map[string]float64 // see remember
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
		if e.changesModel() {
			r.all = "needs " + e.Request.Method + " /model"
		}
		if id == "" {
			r.report.notCovered("needs " + e.Request.Method + " " + e.Request.Path)
			return
		}
		r.spoiled[id] = "needs " + e.Request.Method + " " + e.Request.Path
	case r.all == "" && strings.Contains(r.file.Setup.Models, "empty") && e.Response.Status == http.StatusConflict && !e.isBuilt():
		r.report.notCovered("needs " + e.Request.Path)
		return
	}
	for _, reason := range []string{r.all, r.spoiled[id]} {
		if reason != "" && !e.isRefused() { // who may not pass learns nothing about the state
			r.report.notCovered(reason)
			return
		}
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
func (r *replay) compare(e *exchange, tail bool) string {
	if e.Request.Raw != "" {
		return r.compareRaw(e)
	}
	got, err := r.send(e)
	if err != nil {
		return err.Error()
	}
	if got.status != e.Response.Status {
		return fmt.Sprintf("status %d, want %d: %.200s", got.status, e.Response.Status, got.body)
	}
	want := e.Response.Headers["content-type"]
	if kind := got.header.Get("Content-Type"); want != "None" && kind != want {
		return fmt.Sprintf("content type %q, want %q", kind, want)
	}
	if e.Request.Headers["Origin"] != "" {
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Headers", "Access-Control-Allow-Methods"} {
			if got, want := got.header.Get(name), e.Response.Headers[strings.ToLower(name)]; got != want {
				return fmt.Sprintf("%s %q, want %q", name, got, want)
			}
		}
	}
	r.remember(e, got.body)
	if tail {
		return compareTail(got.body, e.Response.JSON)
	}
	return compareBody(e, got.body)
}

// remember keeps the time of the second message of a conversation's session,
// which later requests ask for.
func (r *replay) remember(e *exchange, body []byte) {
	var state struct {
		Events []struct {
			Event     string
			Timestamp float64
		}
	}
	if json.Unmarshal(body, &state) != nil {
		return
	}
	users := 0
	for _, event := range state.Events {
		switch event.Event {
		case "session_started":
			users = 0
		case "user":
			if users++; users == 2 {
				r.secondUser[e.conversation()] = event.Timestamp
			}
		}
	}
}

// queryValue fills in times that were only known when the recording was made.
func (r *replay) queryValue(e *exchange, value string) string {
	at := r.secondUser[e.conversation()]
	switch value {
	case "<timestamp of second user event>":
	case "<timestamp of second user event - 0.0001>":
		at -= 0.0001
	default:
		return value
	}
	return strconv.FormatFloat(at, 'f', -1, 64)
}

// compareTail compares two trackers by as many of the last events as were
// recorded, and by everything else.
func compareTail(got, want []byte) string {
	g, err := decodeJSON(got)
	if err != nil {
		return err.Error()
	}
	w, err := decodeJSON(want)
	if err != nil {
		return err.Error()
	}
	if g, ok := g.(map[string]any); ok {
		have, _ := g["events"].([]any)
		recorded, _ := w.(map[string]any)["events"].([]any)
		g["events"] = have[max(0, len(have)-len(recorded)):]
	}
	return jsonDifference("body", w, g)
}

func compareBody(e *exchange, body []byte) string {
	switch {
	case e.Response.Page != nil || e.Response.Binary != "":
		return "" // only status and type are compared
	case e.Response.Empty:
		if len(body) > 0 {
			return fmt.Sprintf("the body is %.100q, want none", body)
		}
		return ""
	case e.Response.Text != nil:
		if got := string(body); got != *e.Response.Text {
			return fmt.Sprintf("the body is %.200q, want %.200q", got, *e.Response.Text)
		}
		return ""
	case e.Response.Lines != nil:
		got := bytes.Split(bytes.TrimSuffix(body, []byte("\n")), []byte("\n"))
		want := make([][]byte, len(e.Response.Lines))
		for i, line := range e.Response.Lines {
			want[i] = line
		}
		return compareJSON(list(got), list(want))
	default:
		return compareJSON(body, e.Response.JSON)
	}
}

// list makes a JSON list of values, leaving out empty ones.
func list(values [][]byte) []byte {
	values = slices.DeleteFunc(values, func(v []byte) bool { return len(v) == 0 })
	return fmt.Appendf(nil, "[%s]", bytes.Join(values, []byte(",")))
}

func compareJSON(got, want []byte) string {
	w, err := decodeJSON(want)
	if err != nil {
		return "recording: " + err.Error()
	}
	g, err := decodeJSON(got)
	if err != nil {
		return fmt.Sprintf("no JSON: %.200q", got)
	}
	return jsonDifference("body", comparable(w), comparable(g))
}

// comparable leaves of an error body what is not incidental.
func comparable(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	switch {
	case m["reason"] != nil && m["code"] != nil:
		return map[string]any{"status": m["status"], "reason": m["reason"], "code": m["code"], "details": m["details"]}
	case m["description"] != nil && m["message"] != nil:
		return map[string]any{"status": m["status"]}
	}
	return v
}

// send makes the request as it was recorded.
func (r *replay) send(e *exchange) (answer, error) {
	target := "http://" + r.server.address + e.Request.Path
	if len(e.Request.Query) > 0 {
		query := url.Values{}
		for key, value := range e.Request.Query {
			query.Set(key, r.queryValue(e, value))
		}
		target += "?" + query.Encode()
	}
	request, err := http.NewRequest(e.Request.Method, target, e.body())
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Accept", "*/*")
	for key, value := range e.Request.Headers {
		request.Header.Set(key, value)
	}
	resp, err := r.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, body}, err
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (e *exchange) body() io.Reader {
	switch {
	case e.Request.JSON != nil:
		return bytes.NewReader(e.Request.JSON)
	case e.Request.Text != nil:
		return strings.NewReader(*e.Request.Text)
	case e.Request.Generated != nil:
		g := e.Request.Generated
		return strings.NewReader(g.Prefix + strings.Repeat(g.Repeat, g.Times) + g.Suffix)
	}
	return http.NoBody
}

// compareRaw writes recorded bytes to a connection. Only the status is compared.
func (r *replay) compareRaw(e *exchange) string {
	conn, err := net.Dial("tcp", r.server.address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err.Error()
	}
	raw := e.Request.Raw
	switch raw { // two are described, not recorded
	case "GET /version with a header of 20,000 bytes":
		raw = "GET /version HTTP/1.1\r\nHost: localhost\r\nX-Long: " + strings.Repeat("a", 20_000) + "\r\n\r\n"
	case "GET / with a path of 9,000 bytes":
		raw = "GET /" + strings.Repeat("a", 9_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n"
	}
	if _, err := io.WriteString(conn, raw); err != nil {
		return err.Error()
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "no answer: " + err.Error()
	}
	got, want := statusCode(line), statusCode(e.Response.StatusLine)
	if got != want {
		return fmt.Sprintf("status %s, want %s", got, want)
	}
	return ""
}

func statusCode(line string) string {
	if fields := strings.Fields(line); len(fields) > 1 {
		return fields[1]
	}
	return line
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

func without(object []byte, keys ...string) []byte {
	var m map[string]json.RawMessage
	if json.Unmarshal(object, &m) != nil {
		return object
	}
	for _, key := range keys {
		delete(m, key)
	}
	out, err := json.Marshal(m)
	if err != nil {
		return object
	}
	return out
}
