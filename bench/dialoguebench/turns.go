package dialoguebench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loquat-dev/loquat/internal/action"
	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/assistant"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/lockstore/memlock"
	"github.com/loquat-dev/loquat/internal/nlg"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/trackerstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/memstore"
	"github.com/loquat-dev/loquat/internal/trackerstore/sqlstore"
	"github.com/loquat-dev/loquat/internal/training"
)

// Lengths of conversations whose turns are compared.
const (
	shortEvents = 10
	longEvents  = 20_000
)

// talks are conversations that go on for ever, by what happens in them.
var talks = []struct {
	name, config string
	messages     []string // again and again
}{
	{"a rule", "rules.yml", []string{"/greet"}},
	{"a rule, all policies", "policies.yml", []string{"/greet"}},
	{"stories", "policies.yml", []string{"/complain", "/thank"}},
	{"a form", "policies.yml", []string{"/order", `/answer{"dish":"soup"}`, `/answer{"guests":2}`}},
	{"a form that asks again and again", "policies.yml", []string{"/order", "/greet", "/nonsense"}},
	{"fall-backs, which take turns back", "rules.yml", []string{"/nonsense"}},
}

// stores are the tracker stores, and how many long conversations go on in each. In
// memory, where a turn is quick, it takes several to have so many turns that the
// garbage collector's work, which comes in lumps, is spread evenly. SQLite's store
// remembers some 50,000 events, and reads a conversation of more again.
var stores = []struct {
	name  string
	talks int
}{{"memory", 4}, {"SQLite", 1}}

// benchTurns measures the CPU time of turns: everything but NLU, at the beginning
// of conversations and late in them.
func benchTurns(ctx context.Context, w io.Writer, root string) error {
	const columns = "%-36s %-8s %14s %18s %7s\n"
	fmt.Fprintf(w, "\nCPU time of a turn without NLU, in µs (a rule in memory: at most 60; the ratio: at most 1.2; Rasa after 5,000 events: 296,000, with SQLite 593,000)\n")
	fmt.Fprintf(w, columns, "what happens", "store", fmt.Sprintf("at event %d", shortEvents), fmt.Sprintf("at event %d", longEvents), "ratio")
	models := map[string]*assistant.Assistant{}
	for _, talk := range talks {
		model := models[talk.config]
		if model == nil {
			var err error
			if model, err = trainCafe(ctx, root, talk.config); err != nil {
				return err
			}
			models[talk.config] = model
		}
		for _, store := range stores {
			short, long, err := measureTurns(ctx, model, store.name, talk.messages, store.talks)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", talk.name, store.name, err)
			}
			fmt.Fprintf(w, columns, talk.name, store.name, micros(short), micros(long), fmt.Sprintf("%.2f", float64(long)/float64(short)))
		}
	}
	return nil
}

func micros(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Nanoseconds())/1e3) }

// trainCafe trains the policies that a file of testdata/cafe names.
func trainCafe(ctx context.Context, root, config string) (*assistant.Assistant, error) {
	return train(ctx, filepath.Join(root, "bench", "dialoguebench", "testdata", "cafe"), config)
}

// train trains a project without NLU data, and loads the model.
func train(ctx context.Context, dir, config string) (*assistant.Assistant, error) {
	logger := slog.New(slog.DiscardHandler)
	run, err := training.Prepare(training.Settings{
		Dir: dir, Paths: project.Paths{Config: config, Domain: []string{"domain.yml"}, Data: []string{"data"}},
		Augmentation: 50, Types: app.Catalog(), Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	trained, err := run.Train(ctx)
	if err != nil {
		return nil, err
	}
	m, err := run.Model(trained)
	if err != nil {
		return nil, err
	}
	return assistant.Load(m, app.Catalog(), nil, logger)
}

// talker has conversations with an assistant.
type talker struct {
	*conversation.Processor
	store    trackerstore.Store
	messages []string
}

func newTalker(ctx context.Context, a *assistant.Assistant, store, dir string, messages []string) (*talker, error) {
	t := &talker{store: memstore.New(a.Domain()), messages: messages}
	if store == "SQLite" {
		sql, err := sqlstore.Open(ctx, sqlstore.Config{Dialect: "sqlite", DB: filepath.Join(dir, "conversations.db")}, a.Domain())
		if err != nil {
			return nil, err
		}
		t.store = sql
	}
	logger := slog.New(slog.DiscardHandler)
	t.Processor = conversation.New(conversation.Settings{
		Domain: a.Domain(), Interpreter: a, Predictor: a, Store: t.store, Locks: memlock.New(0), Logger: logger,
		ModelID: a.ModelID(), ModelName: "bench", AssistantID: a.AssistantID(),
		Actions: &action.Runner{Domain: a.Domain(), NLG: nlg.NewTemplates(a.Domain(), nil, logger), Logger: logger},
	})
	return t, nil
}

func (t *talker) close() error {
	t.Close()
	return t.store.Close()
}

// turn sends the n-th message of a conversation.
func (t *talker) turn(ctx context.Context, id string, n int) error {
	text := t.messages[n%len(t.messages)]
	return t.HandleMessage(ctx, channel.Message{SenderID: id, Text: text, MessageID: "m", Channel: "rest", Output: channel.NewCollector()})
}

// grow has turns until a conversation has that many events, and ends with the
// last of the messages. It returns the number of turns.
func (t *talker) grow(ctx context.Context, id string, events int) (turns int, err error) {
	for ; ; turns++ {
		if turns%len(t.messages) == 0 && turns > 0 {
			c, err := t.store.Retrieve(ctx, id)
			if err != nil || c.Len() >= events {
				return turns, err
			}
		}
		if err := t.turn(ctx, id, turns); err != nil {
			return turns, err
		}
	}
}

// measureTurns compares turns of many short conversations with those of a few
// long ones. The two take turns, and the medians count.
func measureTurns(ctx context.Context, a *assistant.Assistant, store string, messages []string, talks int) (short, long time.Duration, err error) {
	const rounds = 7
	turns := 240 * talks
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return 0, 0, err
	}
	defer os.RemoveAll(dir)
	t, err := newTalker(ctx, a, store, dir, messages)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	n := 0
	for i := range talks {
		if n, err = t.grow(ctx, fmt.Sprint("long ", i), longEvents); err != nil {
			return 0, 0, err
		}
	}
	var shorts, longs []time.Duration
	for round := range rounds {
		ids := make([]string, turns/len(messages))
		begun := 0
		for i := range ids {
			ids[i] = fmt.Sprintf("short %d %d", round, i)
			if begun, err = t.grow(ctx, ids[i], shortEvents); err != nil {
				return 0, 0, err
			}
		}
		took, err := cpu(func() error {
			for _, id := range ids {
				for i := range messages {
					if err := t.turn(ctx, id, begun+i); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		shorts = append(shorts, took/time.Duration(turns))
		took, err = cpu(func() error {
			for i := range turns {
				if err := t.turn(ctx, fmt.Sprint("long ", i%talks), n+i/talks); err != nil {
					return err
				}
			}
			n += turns / talks
			return nil
		})
		if err != nil {
			return 0, 0, err
		}
		longs = append(longs, took/time.Duration(turns))
	}
	return median(shorts), median(longs), nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// cpu returns the time that this program computes during f, on all cores.
func cpu(f func() error) (time.Duration, error) {
	runtime.GC()
	before, err := cpuTime()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := cpuTime()
	return after - before, err
}

func cpuTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
