package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/interactive"
	"github.com/loquat-dev/loquat/internal/safefile"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// InteractiveOptions are the options of interactive.
type InteractiveOptions struct {
	Serve             ServeOptions
	Paths             ProjectPaths
	ConversationID    string // "" for a new one
	EndToEnd          bool   // texts go into stories
	SkipVisualization bool
	GraphPort         int // of the page with the graph; 0 for any

	Lines     <-chan string    // what is typed
	Interrupt <-chan os.Signal // opens the menu
	Out       io.Writer
	Output    channel.Output // where the assistant speaks
}

// backupDir is where a session is kept until it is exported.
const backupDir = ".loquat/interactive"

// Interactive teaches a model in a conversation and writes what came of it into
// the project. What was not exported when the session ends is kept in a file whose
// name it tells.
func Interactive(ctx context.Context, o InteractiveOptions) (err error) {
	a, err := Open(ctx, o.Serve)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(ctx))) }()
	if !a.Predicts() {
		return errors.New("the model understands messages and says nothing; train one with stories: loquat train")
	}
	o.Serve.Telemetry.Record(telemetry.InteractiveLearningStarted{SkipVisualization: o.SkipVisualization, SaveInE2E: o.EndToEnd})
	if o.ConversationID == "" {
		o.ConversationID = NewID()
	}
	backup := &backup{path: filepath.Join(backupDir, NewID()+".yml"), out: o.Out}
	changed := backup.keep
	if !o.SkipVisualization {
		graph, stop := startGraph(ctx, o)
		defer stop()
		changed = func(l interactive.Learned) {
			backup.keep(l)
			graph.show(l.Stories)
		}
	}
	session := interactive.New(interactive.Settings{
		Assistant:      a.Processor,
		Ask:            &interactive.Prompter{Lines: o.Lines, Interrupt: o.Interrupt, Out: o.Out},
		Output:         o.Output,
		ConversationID: o.ConversationID, EndToEnd: o.EndToEnd, Changed: changed,
		Files: interactive.Files{
			Stories: inData(o.Paths.Data, "stories.yml"), NLU: inData(o.Paths.Data, "nlu.yml"), Domain: domainProposal(o.Paths.Domain),
			Write: func(files []safefile.File) error { return safefile.ReplaceTogether(files, 0o644) },
		},
	})
	err = session.Run(ctx)
	if err == nil {
		return backup.remove()
	}
	backup.tell()
	if errors.Is(err, interactive.ErrInputEnded) {
		return nil
	}
	return err
}

// CheckPaths reports every path that leads nowhere.
func CheckPaths(paths []string) error {
	var problems diag.List
	for _, path := range paths {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			problems.Errorf(diag.Position{File: filepath.ToSlash(path)}, "missing-file", "check the path", "there is no such file or folder")
		}
	}
	return problems.Err()
}

// inData proposes a file in the folder that data are read from, or that file
// itself if it is one.
func inData(data []string, name string) string {
	for _, path := range data {
		if info, err := os.Stat(path); err == nil && info.IsDir() {
			return filepath.Join(path, name)
		}
	}
	return filepath.Join("data", name)
}

// domainProposal proposes a file of its own where the domain is a folder.
func domainProposal(domain string) string {
	if info, err := os.Stat(domain); err == nil && info.IsDir() {
		return filepath.Join(domain, "interactive.yml")
	}
	return domain
}

// backup keeps what was learned in a file of the shape of training data, so that
// no way to end loses it.
type backup struct {
	path    string
	out     io.Writer
	written bool
	failed  bool
}

func (b *backup) keep(l interactive.Learned) {
	if l.Empty() {
		return
	}
	data, err := l.Backup()
	if err == nil {
		if err = os.MkdirAll(filepath.Dir(b.path), 0o700); err == nil {
			err = evaluate.WriteFile(b.path, data)
		}
	}
	switch {
	case err == nil:
		b.written = true
	case !b.failed: // once is enough
		b.failed = true
		fmt.Fprintf(b.out, "The session can't be backed up: %v\n", err)
	}
}

// tell says where a session is that was not exported.
func (b *backup) tell() {
	if b.written {
		fmt.Fprintf(b.out, "What was learned is kept in %s; move it to your training data, or delete it.\n", b.path)
	}
}

func (b *backup) remove() error {
	if err := os.Remove(b.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove backup: %w", err)
	}
	_ = os.Remove(filepath.Dir(b.path)) // if it is empty
	return nil
}
