package actionsdk

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
)

// statusDomainMissing asks the assistant to send its domain.
const statusDomainMissing = 449

// Handler returns the server's HTTP routes: POST /webhook runs an action, GET
// /health says that the server is there, GET /actions lists the actions. Answers
// have the status codes and bodies of rasa-sdk.
func (s *Server) Handler() http.Handler {
	routes := map[string]struct {
		method string
		serve  http.HandlerFunc
	}{
		"/webhook": {http.MethodPost, s.webhook},
		"/health": {http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
			s.answer(w, http.StatusOK, map[string]any{"status": "ok"})
		}},
		"/actions": {http.MethodGet, func(w http.ResponseWriter, _ *http.Request) {
			list := []any{}
			for _, name := range s.names {
				list = append(list, map[string]any{"name": name})
			}
			s.answer(w, http.StatusOK, list)
		}},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.allowOrigin(w, r)
		route, ok := routes[strings.TrimSuffix(r.URL.Path, "/")]
		switch {
		case !ok:
			s.fail(w, "Requested URL "+strings.TrimSuffix(r.URL.Path, "/")+" not found", nil)
		case r.Method == http.MethodOptions:
			w.WriteHeader(http.StatusOK)
		case r.Method != route.method:
			s.fail(w, fmt.Sprintf("Method %s not allowed for URL %s", r.Method, r.URL.Path), nil)
		default:
			route.serve(w, r)
		}
	})
}

func (s *Server) allowOrigin(w http.ResponseWriter, r *http.Request) {
	origin := r.Header.Get("Origin")
	if origin == "" || !slices.Contains(s.CORS, origin) && !slices.Contains(s.CORS, "*") {
		return
	}
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", origin)
	h.Add("Vary", "Origin")
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Content-Encoding, Traceparent, Tracestate, Baggage")
}

func (s *Server) webhook(w http.ResponseWriter, r *http.Request) {
	step := &Step{Name: StepRequest, Transport: "http", Header: r.Header.Get}
	_ = s.step(r.Context(), step, func(ctx context.Context) error {
		body, err := s.read(w, r)
		if err != nil {
			s.refuse(w, err)
			return nil
		}
		request, err := decode(body)
		if err != nil {
			s.refuse(w, errNotJSON)
			return nil //nolint:nilerr // the client has its answer
		}
		return s.handle(ctx, w, step, request)
	})
}

// handle runs the action of a decoded request. The error that it returns is one
// that the server did not expect.
func (s *Server) handle(ctx context.Context, w http.ResponseWriter, step *Step, request any) error {
	if request == nil {
		s.refuse(w, errNoBody)
		return nil
	}
	call, err := callFrom(request)
	if err != nil {
		s.fail(w, err.Error(), request)
		return err
	}
	if call.Action == "" { // nothing to do
		s.answer(w, http.StatusOK, nil)
		return nil
	}
	step.Action, step.Tracker, step.Version = call.Action, call.Tracker, call.Version
	reply, err := s.Run(ctx, call)
	if err == nil {
		step.Handled = true
		s.answer(w, http.StatusOK, ReplyObject(reply))
		return nil
	}
	status, expected := statusOf(err)
	if !expected {
		s.logger().ErrorContext(ctx, "action failed", "action", call.Action, "conversation_id", call.SenderID, "err", err)
		s.fail(w, err.Error(), request)
		return err
	}
	s.logger().DebugContext(ctx, "action was not run", "action", call.Action, "conversation_id", call.SenderID, "err", err)
	s.answer(w, status, map[string]any{"error": err.Error(), "action_name": call.Action})
	return nil
}

// statusOf is the status of an error that the protocol knows.
func statusOf(err error) (status int, expected bool) {
	if _, ok := errors.AsType[*RejectedError](err); ok {
		return http.StatusBadRequest, true
	}
	if _, ok := errors.AsType[*UnknownActionError](err); ok {
		return http.StatusNotFound, true
	}
	if errors.Is(err, ErrDomainMissing) {
		return statusDomainMissing, true
	}
	return http.StatusInternalServerError, false
}

var (
	errNotJSON  = errors.New("the body is not JSON")
	errNoBody   = errors.New("there is no body")
	errTooLarge = errors.New("the request is too large")
)

// read returns the body of a request, decompressed. Python's "deflate" is zlib.
func (s *Server) read(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	limit := s.MaxBody
	if limit <= 0 {
		limit = 64 << 20
	}
	var body io.Reader = http.MaxBytesReader(w, r.Body, limit)
	switch r.Header.Get("Content-Encoding") {
	case "", "identity":
	case "deflate":
		z, err := zlib.NewReader(body)
		if err != nil {
			return nil, errNotJSON
		}
		body = z
	default:
		return nil, errNotJSON
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok || int64(len(data)) > limit {
		return nil, errTooLarge
	}
	if err != nil {
		return nil, errNotJSON
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, errNoBody
	}
	return data, nil
}

// refuse answers a request that can't be read, in the words of rasa-sdk.
func (s *Server) refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, errTooLarge):
		s.answer(w, http.StatusRequestEntityTooLarge, map[string]any{"error": err.Error()})
	case errors.Is(err, errNoBody):
		s.answer(w, http.StatusBadRequest, map[string]any{"error": "Invalid body request"})
	default:
		s.answer(w, http.StatusBadRequest, map[string]any{"description": "Bad Request", "status": 400, "message": "Failed when parsing body as json"})
	}
}

func (s *Server) fail(w http.ResponseWriter, message string, request any) {
	s.answer(w, http.StatusInternalServerError, map[string]any{"error": message, "request_body": request})
}

func (s *Server) answer(w http.ResponseWriter, status int, body any) {
	data, err := encode(body)
	if err != nil { // an event or response holds what JSON has no form for
		s.logger().Error("answer can't be written as JSON", "err", err)
		status, data = http.StatusInternalServerError, []byte(`{"error":"the answer can't be written as JSON","request_body":null}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// ReplyObject is the JSON object of an answer.
func ReplyObject(r *Reply) map[string]any {
	events, responses := []any{}, []any{}
	for _, e := range r.Events {
		events = append(events, EventObject(e))
	}
	for _, u := range r.Responses {
		responses = append(responses, ResponseObject(u))
	}
	return map[string]any{"events": events, "responses": responses}
}

// ParseCall reads a request in JSON, as POST /webhook gets it.
func ParseCall(data []byte) (Call, error) {
	request, err := decode(data)
	if err != nil {
		return Call{}, err
	}
	return callFrom(request)
}

// callFrom reads a request that is decoded already.
func callFrom(request any) (Call, error) {
	m, ok := request.(map[string]any)
	if !ok {
		return Call{}, errors.New("the request is no JSON object")
	}
	call := Call{SenderID: str(m["sender_id"]), DomainDigest: str(m["domain_digest"]), Version: str(m["version"])}
	if name := m["next_action"]; name == nil || name == "" {
		return Call{}, nil
	} else if call.Action = str(name); call.Action == "" {
		call.Action = fmt.Sprint(name) // is no action's name, and the answer says so
	}
	tracker, ok := m["tracker"]
	if !ok {
		return Call{}, errors.New("'tracker'")
	}
	object, _ := tracker.(map[string]any)
	call.Tracker = trackerFrom(object)
	if domain, ok := m["domain"].(map[string]any); ok && len(domain) > 0 {
		call.Domain = NewDomain(domain)
	}
	return call, nil
}
