package cli

import (
	"bufio"
	"cmp"
	"context"
	"io"
)

// typed are the lines of an input that is read while nobody waits for one, so that an
// interrupt is heard at once.
type typed struct {
	lines chan string // closed when the input has ended
	err   error       // why it has; not to be read before
}

// typed reads the lines of the command's input until it or ctx ends. Whoever asks gets
// the same: what follows the answer to one question is there for the next.
func (e *environment) typed(ctx context.Context) *typed {
	if e.input != nil {
		return e.input
	}
	t := &typed{lines: make(chan string)}
	e.input = t
	go func() {
		defer close(t.lines)
		scanner := bufio.NewScanner(e.In)
		scanner.Buffer(nil, maxLine)
		for scanner.Scan() {
			select {
			case t.lines <- scanner.Text():
			case <-ctx.Done():
				return
			}
		}
		t.err = scanner.Err()
	}()
	return t
}

// next waits for a line; it returns io.EOF at the end of the input, and the error of ctx
// when that has ended.
func (t *typed) next(ctx context.Context) (string, error) {
	select {
	case <-ctx.Done():
		return "", ctx.Err()
	case line, ok := <-t.lines:
		if !ok {
			return "", cmp.Or(t.err, io.EOF)
		}
		return line, nil
	}
}
