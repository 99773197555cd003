package app

import (
	"io"
	"log/slog"
)

// LogHandler returns the handler of log records: text for people, or a JSON object
// per line.
func LogHandler(w io.Writer, level slog.Level, asJSON bool) slog.Handler {
	options := &slog.HandlerOptions{Level: level}
	if asJSON {
		return slog.NewJSONHandler(w, options)
	}
	return slog.NewTextHandler(w, options)
}
