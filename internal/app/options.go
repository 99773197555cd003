// Package app is the composition root: it reads endpoints.yml and
// credentials.yml, builds every concrete part, decorates it for tracing, and
// connects it. It is the only package that sees every concrete type.
package app

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"log/slog"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// ProjectPaths say where a project's files are.
type ProjectPaths struct {
	Config string
	Domain string   // a file or a folder
	Data   []string // files or folders
}

// TrainPart says which part of a project is trained.
type TrainPart int

// The parts.
const (
	TrainBoth TrainPart = iota
	TrainNLU
	TrainCore
)

// TrainOptions are the options of a training.
type TrainOptions struct {
	Part      TrainPart
	Paths     ProjectPaths
	Endpoints string // for its tracing entry; may be missing
	Out       string // folder of models
	CacheDir  string // "" means RASA_CACHE_DIRECTORY, else .rasa/cache

	FixedModelName string
	Force          bool
	DryRun         bool
	PersistNLUData bool
	Augmentation   int
	Threads        int // 0 means all cores
	Finetune       string
	EpochFraction  float64

	SkipValidation       bool
	FailOnWarnings       bool
	ValidationMaxHistory int  // 0 means all turns
	ReportsValidation    bool // to Telemetry

	Logger    *slog.Logger
	Telemetry *telemetry.Recorder // may be nil
	Progress  func(NodeDone)      // may be nil
}

// NodeDone tells that a node of a training has ended.
type NodeDone struct {
	Name        string
	Cached      bool // restored from the cache
	Done, Total int
	Took        time.Duration
	Err         error
}

// TrainResult is what came of a training.
type TrainResult struct {
	ModelPath string
	Stale     bool     // --dry-run: something would be trained
	Nodes     []string // --dry-run: what would be trained
	Warnings  []diag.Problem
}

// ValidateOptions are the options of data validate.
type ValidateOptions struct {
	Paths          ProjectPaths
	StoriesOnly    bool
	FailOnWarnings bool
	MaxHistory     int // 0 means all turns
	Logger         *slog.Logger
	Telemetry      *telemetry.Recorder // may be nil
}

// ValidateResult is what data validate found.
type ValidateResult struct {
	Problems []diag.Problem
	OK       bool // the project is valid in the sense of the options
}

// TestNLUOptions are the options of test nlu.
type TestNLUOptions struct {
	Model     string // a model, or a folder of models
	NLU       string // file or folder with annotated examples
	Out       string // folder of reports
	Successes bool   // write what was right too
	NoErrors  bool   // leave out what was wrong
	NoPlot    bool
	Telemetry *telemetry.Recorder // may be nil
	Logger    *slog.Logger
	Progress  func(evaluate.Step) // may be nil

	CrossValidation bool // train and test on parts of NLU; Model is ignored
	Folds           int
	// Configs is what is trained: one for a cross-validation, "config.yml" if there
	// is none; several files, or a folder of them, are compared.
	Configs     []string
	Runs        int   // of a comparison
	Percentages []int // of training examples that a comparison leaves out
	Domain      string
	Endpoints   string // for its tracing entry; may be missing
}

// TestNLUResult is what a test found.
type TestNLUResult struct {
	Model       string
	Examples    int // that were parsed
	Evaluations []*evaluate.Evaluation
	Files       []string                  // that were written
	CV          *evaluate.CrossValidation // of a cross-validation, else nil
	Comparison  *evaluate.Comparison      // of a comparison, else nil
	Warnings    []diag.Problem
}

// ServeOptions are the options of a server, or of an assistant without one.
type ServeOptions struct {
	Model       string // a model, or a folder of models
	Endpoints   string
	Credentials string
	Connector   string

	Interface     string
	Port          int
	EnableAPI     bool
	AuthToken     string
	JWTSecret     string
	JWTMethod     string
	JWTPrivateKey string
	CORS          []string
	TLS           TLSFiles

	ResponseTimeoutSeconds int
	DrainTimeout           time.Duration
	RemoteStorage          string

	InMemory    bool // keep conversations in memory unless endpoints.yml names a store
	Trace       bool // print the tree of spans of each turn to TraceOutput
	TraceOutput io.Writer
	Logger      *slog.Logger
	Telemetry   *telemetry.Recorder // may be nil
}

// TLSFiles name what HTTPS needs.
type TLSFiles struct {
	Certificate, Key, CA, Password string
}

// NewID returns a random identifier of 32 hex digits, as Rasa makes them for
// messages and conversations.
func NewID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, says crypto/rand
	return hex.EncodeToString(b[:])
}
