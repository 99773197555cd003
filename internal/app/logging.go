package app

import (
	"fmt"
	"io"
	"log/slog"
	"os"
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

// LogFile opens the file of --log-file and returns a writer to it and to w. Users'
// identifiers are in logs, so that the file belongs to its owner alone.
func LogFile(w io.Writer, name string) (io.Writer, io.Closer, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("--log-file: %w", err)
	}
	return io.MultiWriter(w, f), f, nil
}
