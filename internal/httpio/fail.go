package httpio

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"
	"unicode/utf8"
)

// Refuse answers err: a *BadRequest with its status and message, everything else
// as an error of ours that tells nothing.
func Refuse(w http.ResponseWriter, r *http.Request, err error) {
	if bad, ok := errors.AsType[*BadRequest](err); ok {
		Fail(w, r, bad.Status, bad.Message)
		return
	}
	Fail(w, r, http.StatusInternalServerError, "")
}

// Internal is what clients are told about errors of ours.
const Internal = "The server encountered an internal error and cannot complete your request."

// Fail answers an error of the transport, in the form that the client asks for.
// An empty message is Internal.
func Fail(w http.ResponseWriter, r *http.Request, status int, message string) {
	if message == "" {
		message = Internal
	}
	reason := http.StatusText(status)
	switch wanted(r) {
	case "json":
		WriteJSON(w, status, map[string]any{"description": reason, "status": status, "message": message})
	case "html":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			fmt.Fprintf(w, "<!DOCTYPE html><html lang=en><meta charset=UTF-8><title>\u26a0\ufe0f %[1]d \u2014 %[2]s</title>\n"+
				"<h1>\u26a0\ufe0f %[1]d \u2014 %[2]s</h1><p>%[3]s\n", status, reason, html.EscapeString(message))
		}
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(status)
		title := fmt.Sprintf("\u26a0\ufe0f %d \u2014 %s", status, reason)
		fmt.Fprintf(w, "%s\n%s\n%s\n\n", title, strings.Repeat("=", utf8.RuneCountInString(title)), message)
	}
}

// wanted says in which form a client wants its errors: what it accepts, or else
// what it sends itself.
func wanted(r *http.Request) string {
	sendsJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	accept, given := r.Header["Accept"]
	if !given {
		if sendsJSON {
			return "json"
		}
		return "text"
	}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, _, _ := strings.Cut(part, ";")
		switch strings.TrimSpace(kind) {
		case "application/json":
			return "json"
		case "text/html":
			return "html"
		case "text/plain":
			return "text"
		}
	}
	if sendsJSON {
		return "json"
	}
	return "html"
}
