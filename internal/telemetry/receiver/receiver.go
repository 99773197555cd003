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
	"time"

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
	store *store
	key   [sha256.Size]byte
	log   *slog.Logger
}

// Open makes a receiver that takes requests with the write key. It keeps reports in the
// folder dir, which it makes, and removes them after so many days.
func Open(dir string, days int, writeKey string, log *slog.Logger) (*Receiver, error) {
	if writeKey == "" {
		return nil, errors.New("a receiver needs a write key: set RASA_TELEMETRY_WRITE_KEY, or name a file with --key-file")
	}
	store, err := openStore(dir, days, time.Now)
	return &Receiver{store, sha256.Sum256([]byte(writeKey)), log}, err
}

// Handler routes requests.
func (r *Receiver) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "") })
	mux.HandleFunc("POST /v1/track", r.receive)
	mux.HandleFunc("POST /v1/batch", r.receive)
	return mux
}

// receive checks who asks and how much, and stores what the schemas allow.
func (r *Receiver) receive(w http.ResponseWriter, request *http.Request) {
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
	batch := struct{ Batch []json.RawMessage }{[]json.RawMessage{body}} // of a single report
	if err == nil && request.URL.Path == "/v1/batch" {
		batch.Batch = nil
		err = json.Unmarshal(body, &batch)
	}
	if err != nil || batch.Batch == nil || len(batch.Batch) > maxItems {
		answer(w, http.StatusBadRequest, "not a batch of 0 to 100 items")
		return
	}
	r.keep(w, batch.Batch)
}

func (r *Receiver) authorised(request *http.Request) bool {
	user, password, ok := request.BasicAuth()
	sum := sha256.Sum256([]byte(user))
	return subtle.ConstantTimeCompare(sum[:], r.key[:]) == 1 && ok && password == ""
}

func (r *Receiver) keep(w http.ResponseWriter, items []json.RawMessage) {
	var valid []map[string]any
	for _, item := range items {
		report, err := telemetry.Accept(item)
		if len(item) > maxItem {
			err = errors.New("larger than 32,000 bytes")
		}
		if err != nil {
			r.log.Info("a report was refused", "err", err)
			continue
		}
		valid = append(valid, report)
	}
	kept, err := r.store.keep(valid)
	switch {
	case errors.Is(err, errFull):
		w.Header().Set("Retry-After", "3600")
		answer(w, http.StatusTooManyRequests, "today's file is full")
	case err != nil:
		r.log.Error("reports can't be stored", "err", err)
		answer(w, http.StatusInternalServerError, "not stored")
	default:
		r.log.Debug("reports were stored", "kept", kept, "known", len(valid)-kept, "refused", len(items)-len(valid))
		answer(w, http.StatusOK, "")
	}
}

// answer answers as Segment does, with a message for what went wrong.
func answer(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct { // the client may be gone
		Success bool   `json:"success"`
		Message string `json:"message,omitempty"`
	}{status == http.StatusOK, message})
}
