package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"slices"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/httpapi"
	"github.com/loquat-dev/loquat/internal/marker"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/pyrandom"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/trackerstore"
)

// The conversations that markers are looked for in.
const (
	AllConversations    = "all"
	FirstConversations  = "first_n"
	SampleConversations = "sample_n"
)

// MarkerOptions are the options of evaluate markers.
type MarkerOptions struct {
	Strategy   string   // one of those above
	Count      int      // of conversations, unless it is all
	Seed       *big.Int // of a sample; nil for none
	Config     string   // file or folder of markers
	Domain     string
	Endpoints  string // for its tracker store; may be missing
	Out        string // CSV file
	Statistics string // what the names of the files with statistics begin with; "" for none

	Logger    *slog.Logger
	Telemetry *telemetry.Recorder // may be nil
}

// MarkerResult is what was found.
type MarkerResult struct {
	Conversations, Sessions int
	Files                   []string
	Warnings                []diag.Problem
}

// EvaluateMarkers looks for markers in stored conversations and writes where they
// apply, and statistics. It writes over no file.
func EvaluateMarkers(ctx context.Context, o MarkerOptions) (result MarkerResult, err error) {
	var problems diag.List
	defer func() { result.Warnings = problems.Warnings() }()
	outputs := []string{o.Out}
	if o.Statistics != "" {
		outputs = append(outputs, o.Statistics+"-overall.csv", o.Statistics+"-per-session.csv")
	}
	if err := checkFree(outputs); err != nil {
		return result, err
	}
	o.Telemetry.Record(o.initiated())
	d := project.LoadDomain("", []string{o.Domain}, &problems)
	soundDomain := !problems.HasErrors()
	markers := marker.Read(o.Config, &problems)
	if soundDomain {
		marker.Check(markers, d, &problems)
	}
	if err := problems.Err(); err != nil {
		return result, err
	}
	o.Telemetry.Record(markersParsed(markers))

	sessions, conversations, err := o.find(ctx, markers, d)
	if err != nil {
		return result, err
	}
	result.Conversations, result.Sessions = conversations, len(sessions)
	o.Telemetry.Record(telemetry.MarkersExtracted{TrackersCount: conversations})
	tables := []marker.Table{marker.Points(sessions, markers)}
	if o.Statistics != "" {
		tables = append(tables, marker.Overall(sessions, markers), marker.PerSession(sessions, markers))
		o.Telemetry.Record(telemetry.MarkersStatisticsComputed{TrackersCount: conversations})
	}
	for i, t := range tables {
		if err := evaluate.WriteFile(outputs[i], t.CSV()); err != nil {
			return result, err
		}
		result.Files = append(result.Files, outputs[i])
	}
	return result, nil
}

func (o MarkerOptions) initiated() telemetry.MarkersExtractionInitiated {
	event := telemetry.MarkersExtractionInitiated{
		Strategy: telemetry.Named[telemetry.Strategy](o.Strategy), OnlyExtract: o.Statistics == "", Seed: o.Seed != nil,
	}
	if o.Strategy != AllConversations {
		event.Count = &o.Count
	}
	return event
}

func markersParsed(markers []marker.Marker) telemetry.MarkersParsed {
	depth, width := marker.Measure(markers)
	return telemetry.MarkersParsed{MarkerCount: len(markers), MaxDepth: depth, BranchingFactor: width}
}

// checkFree makes sure that files can be written and are not there yet.
func checkFree(files []string) error {
	var errs []error
	for _, file := range files {
		dir := filepath.Dir(file)
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			errs = append(errs, fmt.Errorf("%s can't be written: there is no folder %s", file, dir))
		} else if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, fmt.Errorf("%s is there already; remove it, or name another file", file))
		}
	}
	return errors.Join(errs...)
}

// find applies the markers to the chosen conversations.
func (o MarkerOptions) find(ctx context.Context, markers []marker.Marker, d *domain.Domain) (sessions []marker.Session, conversations int, err error) {
	store, err := o.openStore(ctx, d)
	if err != nil {
		return nil, 0, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	ids, err := o.choose(ctx, store)
	if err != nil {
		return nil, 0, err
	}
	for _, id := range ids {
		t, err := store.Retrieve(ctx, id)
		if errors.Is(err, trackerstore.ErrNotFound) {
			continue // removed in the meantime
		}
		if err != nil {
			return nil, 0, err
		}
		sessions = append(sessions, marker.Find(id, t.Events(), markers)...)
		conversations++
	}
	return sessions, conversations, nil
}

// openStore opens the tracker store that endpoints.yml names, or the one that run
// uses without. One that isn't there would hold nothing.
func (o MarkerOptions) openStore(ctx context.Context, d *domain.Domain) (trackerstore.Store, error) {
	p := &parts{logger: o.Logger, out: &Assistant{checks: map[string]httpapi.Check{}}, existing: true}
	p.endpoints = project.ReadEndpoints(o.Endpoints, o.Endpoints, &p.problems)
	store, err := p.trackerStore(ctx, d)
	if missing, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrNotExist) {
		err = diag.Problem{
			Code: "missing-file", Message: "there are no stored conversations: there is no database " + filepath.ToSlash(missing.Path),
			Hint: "tracker_store: in the file of --endpoints names another one; without it, that is where loquat run keeps them",
		}
	}
	p.note(err)
	if err := p.problems.Err(); err != nil {
		if store != nil {
			err = errors.Join(err, store.Close())
		}
		return nil, err
	}
	return store, nil
}

// choose lists conversations: in the order of their identifiers, which is the
// order that Rasa gets from SQLite, or of the sample.
func (o MarkerOptions) choose(ctx context.Context, store trackerstore.Store) ([]string, error) {
	var ids []string
	for id, err := range store.ConversationIDs(ctx) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	if o.Strategy == AllConversations {
		return ids, nil
	}
	if o.Count > len(ids) {
		o.Logger.Warn("there are fewer conversations; all are taken", "wanted", o.Count, "conversations", len(ids))
	}
	count := min(o.Count, len(ids))
	if o.Strategy == FirstConversations {
		return ids[:count], nil
	}
	seed := o.Seed
	if seed == nil {
		seed = new(big.Int) // the same input gives the same result
	}
	sample := make([]string, count)
	for i, j := range pyrandom.New(seed).Sample(len(ids), count) {
		sample[i] = ids[j]
	}
	return sample, nil
}
