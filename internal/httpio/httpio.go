// Package httpio reads JSON from strangers within limits, and answers as Rasa's
// web framework does.
//
// It is what the HTTP API and the channels share: a body is bounded in size, in
// depth and in the time that it may take to arrive, and an error of the
// transport (no such path, malformed JSON, time-out) has the body that clients
// of Rasa 3.6 know: {"description", "status", "message"} for those who speak
// JSON, a page for browsers.
package httpio

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"
)

// MaxDepth is how deeply objects and lists may nest in a request.
const MaxDepth = 200

// bodyTime is how long a client may take to send a body.
const bodyTime = 60 * time.Second

// BadRequest is an error of the client: what is wrong with its request, and the
// status to answer with.
type BadRequest struct {
	Status  int
	Message string
}

func (e *BadRequest) Error() string { return e.Message }

var malformed = &BadRequest{http.StatusBadRequest, "Failed when parsing body as json"}

// ReadJSON reads the body, of at most limit bytes, and decodes it into v, which
// is a pointer. A body of nothing is io.EOF, JSON that does not fit v is a
// *json.UnmarshalTypeError, every other error of the client is a *BadRequest.
func ReadJSON(w http.ResponseWriter, r *http.Request, limit int64, v any) error {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxPooled {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	if err := read(w, r, limit, buf); err != nil {
		return err
	}
	data := buf.Bytes()
	if len(data) == 0 {
		return io.EOF
	}
	if err := CheckDepth(data); err != nil {
		return err
	}
	err := json.Unmarshal(data, v)
	if _, ok := errors.AsType[*json.SyntaxError](err); ok {
		return malformed
	}
	return err
}

// ReadBody reads the body, of at most limit bytes, as it is. Errors are
// *BadRequests.
func ReadBody(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	var buf bytes.Buffer
	err := read(w, r, limit, &buf)
	return buf.Bytes(), err
}

func read(w http.ResponseWriter, r *http.Request, limit int64, buf *bytes.Buffer) error {
	if r.ContentLength > limit {
		return tooLarge(w)
	}
	if r.ContentLength == 0 {
		return nil
	}
	// Not every ResponseWriter has deadlines; those of net/http have.
	control := http.NewResponseController(w)
	if control.SetReadDeadline(time.Now().Add(bodyTime)) == nil {
		defer func() { _ = control.SetReadDeadline(time.Time{}) }()
	}
	n, err := io.Copy(buf, io.LimitReader(r.Body, limit+1))
	switch {
	case n > limit:
		return tooLarge(w)
	case err != nil:
		return &BadRequest{http.StatusRequestTimeout, "The request body did not arrive"}
	}
	return nil
}

// tooLarge refuses a body and the rest of the connection with it.
func tooLarge(w http.ResponseWriter) error {
	w.Header().Set("Connection", "close")
	return &BadRequest{http.StatusRequestEntityTooLarge, "Request body exceeds the size limit"}
}

// CheckDepth refuses JSON text that nests deeper than MaxDepth, with a *BadRequest.
func CheckDepth(data []byte) error {
	if depth(data) > MaxDepth {
		return &BadRequest{http.StatusBadRequest, fmt.Sprintf("The body nests deeper than %d levels", MaxDepth)}
	}
	return nil
}

// depth returns how deeply brackets nest in JSON text; malformed text gives some
// number.
func depth(data []byte) int {
	var level, deepest int
	inString := false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			level++
			deepest = max(deepest, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return deepest
}

// maxPooled is the capacity of the largest buffer that is kept for reuse.
const maxPooled = 64 << 10

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// WriteJSON answers with a value. The status is 500, and the body empty, when the
// value can't be encoded, which a test of the caller shows.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	buf := buffers.Get().(*bytes.Buffer)
	defer func() {
		if buf.Cap() <= maxPooled {
			buf.Reset()
			buffers.Put(buf)
		}
	}()
	if err := Encode(buf, v); err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	WriteEncoded(w, status, bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
}

// WriteEncoded answers with a value that is JSON already.
func WriteEncoded(w http.ResponseWriter, status int, data []byte) {
	w.Header()["Content-Type"] = contentTypeJSON
	w.WriteHeader(status)
	w.Write(data) // an error means that the client is gone
}

var contentTypeJSON = []string{"application/json"}

// Encode writes a value as JSON and a line break, leaving <, > and & as they are.
func Encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
