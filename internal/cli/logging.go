package cli

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"strings"

	"golang.org/x/term"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// environment is what all commands share.
type environment struct {
	Streams
	input     *typed // of Streams.In; nil until somebody asks
	verbosity int
	debug     bool
	quiet     bool
	level     slog.Level
	logger    *slog.Logger
	warnings  int // about the project that were printed

	telemetry *telemetry.Recorder // nil if the command reports nothing
	command   string              // without the program's name: "train nlu"
}

// setUpLogging makes the logger: the flags decide the level, else LOG_LEVEL,
// else warnings for commands and information for servers (see serverLogger).
func (e *environment) setUpLogging() error {
	e.level = slog.LevelInfo
	if name := os.Getenv("LOG_LEVEL"); name != "" {
		if err := e.level.UnmarshalText([]byte(pythonLevel(name))); err != nil {
			return fmt.Errorf("LOG_LEVEL: %q is no level; levels: DEBUG, INFO, WARNING, ERROR", name)
		}
	}
	switch {
	case e.debug || e.verbosity > 1:
		e.level = slog.LevelDebug
	case e.verbosity == 1:
		e.level = slog.LevelInfo
	case e.quiet:
		e.level = slog.LevelWarn
	}
	e.logTo(e.Err)
	return nil
}

// logTo makes the logger write to w: text, or JSON with FORCE_JSON_LOGGING.
func (e *environment) logTo(w io.Writer) {
	asJSON := strings.EqualFold(os.Getenv("FORCE_JSON_LOGGING"), "true")
	e.logger = slog.New(app.LogHandler(w, e.level, asJSON))
}

// pythonLevel gives slog's name for a level of Python's logging.
func pythonLevel(name string) string {
	switch name = strings.ToUpper(name); name {
	case "WARNING":
		return "WARN"
	case "CRITICAL":
		return "ERROR"
	default:
		return name
	}
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func goVersion() string { return runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH }
