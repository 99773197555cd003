package languagemodel

import (
	"container/list"
	"sync"
)

const (
	// mostRecent is how many vectors are kept: about 5 MB.
	mostRecent = 1024
	// longestRecent is how many bytes a text may have to be kept.
	longestRecent = 2000
)

// recent keeps the vectors of the texts that were used last. It is safe for
// concurrent use, and its zero value is empty.
type recent struct {
	mu      sync.Mutex
	order   list.List // of *recentVector, the last used first
	entries map[string]*list.Element
}

type recentVector struct {
	text   string
	vector []float32
}

// get returns the vector of a text, or nil.
func (r *recent) get(text string) []float32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	e := r.entries[text]
	if e == nil {
		return nil
	}
	r.order.MoveToFront(e)
	return e.Value.(*recentVector).vector
}

func (r *recent) put(text string, vector []float32) {
	if len(text) > longestRecent {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[string]*list.Element{}
	}
	if e := r.entries[text]; e != nil {
		r.order.MoveToFront(e)
		return
	}
	r.entries[text] = r.order.PushFront(&recentVector{text, vector})
	if r.order.Len() > mostRecent {
		last := r.order.Back()
		r.order.Remove(last)
		delete(r.entries, last.Value.(*recentVector).text)
	}
}
