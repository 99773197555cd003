package golden

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

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
	for i, event := range state.Events {
		switch event.Event {
		case "session_started":
			users = 0
		case "user":
			if users++; users == 2 {
				r.secondUser[e.conversation()] = moment{at: event.Timestamp, before: state.Events[i-1].Timestamp}
			}
		}
	}
}

func (r *replay) queryValue(e *exchange, value string) string {
	second := r.secondUser[e.conversation()]
	at := second.at
	switch value {
	case "<timestamp of second user event>":
	case "<timestamp of second user event - 0.0001>":
		// A quick client's second message follows the event before it within
		// the tenth of a millisecond that was recorded.
		at = second.before + (second.at-second.before)/2
	default:
		return value
	}
	return strconv.FormatFloat(at, 'f', -1, 64)
}

// moment is when an event happened and when the one before it did, in
// seconds since 1970.
type moment struct{ at, before float64 }

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
		if got := string(body); got != *e.Response.Text && !sameYAML(got, *e.Response.Text) {
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

// sameYAML reports whether two files, such as a domain or stories, say the same
// in the same order, whatever quotes and order of keys they use.
func sameYAML(got, want string) bool {
	if !strings.HasPrefix(want, "version:") {
		return false
	}
	var values [2]any
	for i, text := range []string{got, want} {
		var problems diag.List
		values[i] = yamlfile.Parse([]byte(text), "answer.yml", &problems).Any()
		if problems.Err() != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

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

type answer struct {
	status int
	header http.Header
	body   []byte
}

func (e *exchange) body() io.Reader {
	switch {
	case e.Request.JSON != nil:
		// no_model.json was recorded in a folder beside the project's
		return bytes.NewReader(bytes.ReplaceAll(e.Request.JSON, []byte(`"../models/`), []byte(`"models/`)))
	case e.Request.Text != nil:
		return strings.NewReader(*e.Request.Text)
	case e.Request.Generated != nil:
		g := e.Request.Generated
		return strings.NewReader(g.Prefix + strings.Repeat(g.Repeat, g.Times) + g.Suffix)
	}
	return http.NoBody
}

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
