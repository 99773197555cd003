package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/evaluate"
)

// progress shows which nodes of a training are done: a bar on a terminal, a line
// for each node that learned something elsewhere.
type progress struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	dirty    bool // a bar is on the last line
}

const barWidth = 24

func newProgress(w io.Writer, terminal bool) *progress {
	return &progress{w: w, terminal: terminal}
}

// node is told about each node that has ended.
func (p *progress) node(e app.NodeDone) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.terminal {
		filled := barWidth * e.Done / max(e.Total, 1)
		fmt.Fprintf(p.w, "\r\x1b[K%s%s %d/%d  %s", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), e.Done, e.Total, e.Name)
		p.dirty = true
		return
	}
	if e.Err != nil || !strings.HasPrefix(e.Name, "train_") {
		return
	}
	state := fmt.Sprintf("trained in %s", e.Took.Round(time.Millisecond))
	if e.Cached {
		state = "unchanged"
	}
	fmt.Fprintf(p.w, "%s: %s\n", e.Name, state)
}

// say writes what begins now.
func (p *progress) say(what string) {
	p.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(p.w, what)
}

// close removes the bar. It may be called again.
func (p *progress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dirty {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.dirty = false
	}
}

// stepProgress shows how far a test has come, on a terminal; elsewhere it is
// silent but for a line for each thing that is done.
type stepProgress struct {
	mu       sync.Mutex
	w        io.Writer
	terminal bool
	dirty    bool
	doing    string
}

func newStepProgress(env *environment) *stepProgress {
	p := &stepProgress{w: env.Err, terminal: isTerminal(env.Err)}
	if env.quiet {
		p.w, p.terminal = io.Discard, false
	}
	return p
}

// step is told about each step.
func (p *stepProgress) step(s evaluate.Step) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.terminal {
		if s.Doing != p.doing {
			fmt.Fprintln(p.w, s.Doing)
		}
		p.doing = s.Doing
		return
	}
	if s.Done%max(1, s.Total/200) != 0 && s.Done != s.Total {
		return // two hundred drawings are enough
	}
	filled := barWidth * s.Done / max(s.Total, 1)
	fmt.Fprintf(p.w, "\r\x1b[K%s%s %d/%d  %s", strings.Repeat("█", filled), strings.Repeat("░", barWidth-filled), s.Done, s.Total, s.Doing)
	p.dirty = true
}

// close removes the bar. It may be called again.
func (p *stepProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dirty {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.dirty = false
	}
}
