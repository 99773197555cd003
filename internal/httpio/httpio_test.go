package httpio

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReadJSON(t *testing.T) {
	cases := []struct {
		name, body string
		status     int
	}{
		{"object", `{"a": [1, {"b": "}{]["}]}`, 0},
		{"spaces", " {} \n", 0},
		{"two values", `{} {}`, 400},
		{"half a value", `{"a": `, 400},
		{"not JSON", `a=b`, 400},
		{"deep", strings.Repeat("[", MaxDepth) + strings.Repeat("]", MaxDepth), 0},
		{"too deep", strings.Repeat("[", MaxDepth+1) + strings.Repeat("]", MaxDepth+1), 400},
		{"brackets in strings", `"` + strings.Repeat("[", MaxDepth+1) + `"`, 0},
		{"quotes in strings", `"\"` + strings.Repeat("[", MaxDepth+1) + `"`, 0},
		{"at the limit", `"` + strings.Repeat("a", 998) + `"`, 0},
		{"too large", `"` + strings.Repeat("a", 999) + `"`, 413},
	}
	for _, c := range cases {
		for _, known := range []bool{true, false} {
			r := httptest.NewRequest("POST", "/", strings.NewReader(c.body))
			if !known {
				r.ContentLength = -1
			}
			var v any
			err := ReadJSON(httptest.NewRecorder(), r, 1000, &v)
			bad, _ := errors.AsType[*BadRequest](err)
			if got := statusOf(bad); got != c.status || (err != nil) != (c.status != 0) {
				t.Errorf("%s (length known: %t): %v, want status %d", c.name, known, err, c.status)
			}
		}
	}
}

func statusOf(e *BadRequest) int {
	if e == nil {
		return 0
	}
	return e.Status
}

func TestReadJSONWithoutBody(t *testing.T) {
	var v any
	for _, body := range []io.Reader{nil, strings.NewReader(""), io.MultiReader()} {
		if err := ReadJSON(httptest.NewRecorder(), httptest.NewRequest("POST", "/", body), 10, &v); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want %v", err, io.EOF)
		}
	}
}

// A client that stops sending must not hold a connection for ever, and one that
// breaks off is its own fault.
func TestBodyThatBreaksOff(t *testing.T) {
	r := httptest.NewRequest("POST", "/", io.MultiReader(strings.NewReader(`{"a"`), brokenReader{}))
	var v any
	err := ReadJSON(httptest.NewRecorder(), r, 100, &v)
	if bad, _ := errors.AsType[*BadRequest](err); statusOf(bad) != 408 {
		t.Errorf("got %v, want status 408", err)
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func TestErrorsHaveTheFormThatClientsAskFor(t *testing.T) {
	cases := []struct{ accept, contentType, want string }{
		{"", "", "text/plain; charset=utf-8"},
		{"", "application/json", "application/json"},
		{"*/*", "", "text/html; charset=utf-8"},
		{"*/*", "application/json; charset=utf-8", "application/json"},
		{"*/*", "application/x-www-form-urlencoded", "text/html; charset=utf-8"},
		{"application/json", "", "application/json"},
		{"text/html,application/xhtml+xml;q=0.9", "application/json", "text/html; charset=utf-8"},
		{"text/plain", "application/json", "text/plain; charset=utf-8"},
	}
	for _, c := range cases {
		r := httptest.NewRequest("GET", "/", nil)
		if c.accept != "" {
			r.Header.Set("Accept", c.accept)
		}
		if c.contentType != "" {
			r.Header.Set("Content-Type", c.contentType)
		}
		w := httptest.NewRecorder()
		Fail(w, r, http.StatusNotFound, "Requested URL <b> not found")
		if got := w.Header().Get("Content-Type"); got != c.want || w.Code != 404 {
			t.Errorf("%+v: %d %s", c, w.Code, got)
		}
		if strings.HasPrefix(c.want, "text/html") && strings.Contains(w.Body.String(), "<b>") {
			t.Errorf("%+v: the message is not escaped: %s", c, w.Body)
		}
	}
}

func TestRefuseTellsNothingAboutOurErrors(t *testing.T) {
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept", "application/json")
	Refuse(w, r, errors.New("open /etc/secret: permission denied"))
	var got map[string]any
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || got["message"] != Internal || w.Code != 500 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func FuzzReadJSON(f *testing.F) {
	f.Add([]byte(`{"sender": "a", "message": "b"}`))
	f.Add([]byte("[[[\"\\\"]"))
	f.Fuzz(func(t *testing.T, body []byte) {
		var v any
		err := ReadJSON(httptest.NewRecorder(), httptest.NewRequest("POST", "/", strings.NewReader(string(body))), 1<<20, &v)
		if err == nil && !json.Valid(body) {
			t.Errorf("%q was read as %v", body, v)
		}
	})
}
