// Package receiver is a collector of usage reports that an operator can run: it
// takes what package telemetry sends and keeps it as JSON Lines, a file a day.
//
// It keeps a report only if the published schemas allow every part of it, and
// nothing else of a request: no address, no header, no time but the report's.
package receiver

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// Bounds of a request.
const (
	maxBody  = 500_000 // bytes
	maxItems = 100
	maxItem  = 32_000 // bytes
)

// Receiver answers POST /v1/track and /v1/batch, and GET /healthz.
type Receiver struct {
	store *Store
	key   [sha256.Size]byte
	log   *slog.Logger
}

// New makes a receiver that takes requests with the write key.
func New(store *Store, writeKey string, log *slog.Logger) (*Receiver, error) {
	if writeKey == "" {
		return nil, errors.New("a receiver needs a write key: set RASA_TELEMETRY_WRITE_KEY, or name a file with --key-file")
	}
	return &Receiver{store, sha256.Sum256([]byte(writeKey)), log}, nil
}

// Handler routes requests.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "") })
	mux.HandleFunc("POST /v1/track", r.receive(func(body []byte) ([]json.RawMessage, error) {
		return []json.RawMessage{body}, nil
	}))
	mux.HandleFunc("POST /v1/batch", r.receive(readBatch))
	return mux
}

func readBatch(body []byte) ([]json.RawMessage, error) {
	var b struct {
		Batch []json.RawMessage `json:"batch"`
	}
	if err := json.Unmarshal(body, &b); err != nil {
		return nil, errors.New("not a batch")
	}
	if b.Batch == nil || len(b.Batch) > maxItems {
		return nil, errors.New("a batch has from 0 to 100 items")
	}
	return b.Batch, nil
}

// receive checks who asks and how much, and stores what the schemas allow.
func (r *Receiver) receive(items func([]byte) ([]json.RawMessage, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, request *http.Request) {
		if !r.authorised(request) {
			w.Header().Set("WWW-Authenticate", `Basic realm="telemetry"`)
			answer(w, http.StatusUnauthorized, "wrong write key")
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			answer(w, http.StatusRequestEntityTooLarge, "larger than 500 KB")
			return
		}
		if err != nil {
			answer(w, http.StatusBadRequest, "the body can't be read")
			return
		}
		reports, err := items(body)
		if err != nil {
			answer(w, http.StatusBadRequest, err.Error())
			return
		}
		r.keep(w, reports)
	}
}

func (r *Receiver) authorised(request *http.Request) bool {
	user, password, ok := request.BasicAuth()
	sum := sha256.Sum256([]byte(user))
	return subtle.ConstantTimeCompare(sum[:], r.key[:]) == 1 && ok && password == ""
}

func (r *Receiver) keep(w http.ResponseWriter, items []json.RawMessage) {
	var valid []map[string]any
	refused := 0
	for _, item := range items {
		report, err := telemetry.Decode(item)
		if err == nil {
			err = check(item, report)
		}
		if err != nil {
			refused++
			r.log.Info("a report was refused", "err", err)
			continue
		}
		valid = append(valid, report)
	}
	kept, err := r.store.Keep(valid)
	switch {
	case errors.Is(err, ErrFull):
		w.Header().Set("Retry-After", strconv.Itoa(3600))
		answer(w, http.StatusTooManyRequests, "today's file is full")
		return
	case err != nil:
		r.log.Error("reports can't be stored", "err", err)
		answer(w, http.StatusInternalServerError, "not stored")
		return
	}
	r.log.Debug("reports were stored", "kept", kept, "known", len(valid)-kept, "refused", refused)
	answer(w, http.StatusOK, "")
}

// check judges a report by the schemas. Errors name a place, never a value.
func check(item []byte, report map[string]any) error {
	if len(item) > maxItem {
		return errors.New("larger than 32,000 bytes")
	}
	if err := telemetry.Validate(report); err != nil {
		return err
	}
	properties, _ := report["properties"].(map[string]any)
	switch {
	case !telemetry.Sendable(report["event"]):
		return errors.New("event: is never sent")
	case report["userId"] == nil || report["userId"] != properties["metrics_id"]:
		return errors.New("userId: is null, or not metrics_id")
	}
	return nil
}

func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	body := map[string]any{"success": status == http.StatusOK}
	if message != "" {
		body["message"] = message
	}
	_ = json.NewEncoder(w).Encode(body) // the client may be gone
}
