package sentence

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
)

// result is where the vectors of texts go.
type result struct {
	vectors   []float32  // of the texts, one after the other
	encodings []Encoding // nil if nobody asks for more
	pieces    bool       // somebody asks for pieces
}

const (
	// groupPieces is from how many pieces on texts are encoded together. The
	// weights are read once for all of them.
	groupPieces = 96
	// groupTexts is how many texts a group has at most.
	groupTexts = 16
)

// run encodes texts, groups of neighbours side by side on all cores.
func (e *Encoder) run(ctx context.Context, texts []string, to result) error {
	workers := min(runtime.GOMAXPROCS(0), (len(texts)+1)/2)
	if workers <= 1 {
		w := e.acquire()
		defer e.release(w)
		for from := 0; from < len(texts); {
			n, err := w.group(ctx, e, texts, from, len(texts), to)
			if err != nil {
				return err
			}
			from += n
		}
		return ctx.Err()
	}
	return e.runParallel(ctx, texts, to, workers)
}

func (e *Encoder) runParallel(ctx context.Context, texts []string, to result, workers int) error {
	// Parts are small, so that the workers end at about the same time.
	part := max(1, min(groupTexts, len(texts)/(2*workers)))
	var (
		next   atomic.Int64
		failed atomic.Pointer[error]
		wg     sync.WaitGroup
	)
	work := func() {
		w := e.acquire()
		defer e.release(w)
		for failed.Load() == nil {
			end := int(next.Add(int64(part)))
			for from := end - part; from < min(end, len(texts)); {
				n, err := w.group(ctx, e, texts, from, min(end, len(texts)), to)
				if err != nil {
					failed.CompareAndSwap(nil, &err)
					return
				}
				from += n
			}
			if end >= len(texts) {
				return
			}
		}
	}
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

// acquire returns a workspace that nobody uses.
func (e *Encoder) acquire() *workspace {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.idle); n > 0 {
		w := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return w
	}
	return &workspace{}
}

// release keeps a workspace for the next call, as many as there are cores.
func (e *Encoder) release(w *workspace) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.idle) < runtime.GOMAXPROCS(0) {
		e.idle = append(e.idle, w)
	}
}
