package languagemodel

import (
	"container/list"
	"slices"
	"sync"

	"github.com/loquat-dev/loquat/internal/nlu"
)

const (
	// mostRecent is how many texts are kept at most.
	mostRecent = 1024
	// mostRecentBytes is what they and their vectors may take together; a thousand
	// usual messages take 9 MB.
	mostRecentBytes = 12 << 20
	// longestRecent is how many bytes a text may have to be kept.
	longestRecent = 2000
)

// recent keeps the vectors of the texts that were used last. It is safe for
// concurrent use, and its zero value is empty.
type recent struct {
	mu      sync.Mutex
	order   list.List // of *recentVector, the last used first
	bytes   int
	entries map[string]*list.Element
}

type recentVector struct {
	text   string
	known  encoded
	tokens []nlu.Token // whose vectors are known
}

func (r *recentVector) size() int { return len(r.text) + r.known.size() }

// has tells whether everything wanted is known.
func (r *recentVector) has(w wanted) bool {
	return len(w.tokens) == 0 || slices.EqualFunc(r.tokens, w.tokens, func(a, b nlu.Token) bool { return a.Start == b.Start && a.End == b.End })
}

// get returns what is known of a text, or nil unless that is all that is wanted.
func (r *recent) get(w wanted) *encoded {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[w.text]
	if e == nil || !e.Value.(*recentVector).has(w) {
		return nil
	}
	r.order.MoveToFront(e)
	return &e.Value.(*recentVector).known
}

func (r *recent) put(w wanted, known encoded) {
	if len(w.text) > longestRecent {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[string]*list.Element{}
	}
	if e := r.entries[w.text]; e != nil {
		r.remove(e)
	}
	v := &recentVector{w.text, known, w.tokens}
	r.entries[w.text] = r.order.PushFront(v)
	r.bytes += v.size()
	for r.order.Len() > mostRecent || r.bytes > mostRecentBytes {
		r.remove(r.order.Back())
	}
}

func (r *recent) remove(e *list.Element) {
	v := r.order.Remove(e).(*recentVector)
	delete(r.entries, v.text)
	r.bytes -= v.size()
}
