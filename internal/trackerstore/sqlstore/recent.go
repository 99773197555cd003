package sqlstore

import (
	"container/list"
	"sync"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// What the store remembers of conversations that were used last.
const (
	maxRecentConversations = 2_000
	maxRecentBytes         = 24 << 20 // of JSON, over all conversations; some 50,000 events
)

// history is a conversation up to a row, and that row, by which a reader notices
// that the conversation was rewritten behind its back.
type history struct {
	tracker  *tracker.Tracker
	size     int   // bytes of JSON that it was made of
	lastID   int64 // 0 if no row is known
	lastData string
}

// recent remembers the conversations that were used last. What it returns may be
// old, never wrong: reading continues from where it ends.
type recent struct {
	domain                     *domain.Domain
	maxConversations, maxBytes int

	mu      sync.Mutex
	byID    map[string]*list.Element
	inOrder *list.List // of *history, most recently used first; their trackers are never handed out
	bytes   int
}

func newRecent(d *domain.Domain, maxConversations, maxBytes int) *recent {
	return &recent{
		domain:           d,
		maxConversations: maxConversations,
		maxBytes:         maxBytes,
		byID:             make(map[string]*list.Element),
		inOrder:          list.New(),
	}
}

// get returns what is remembered of a conversation, with a tracker that belongs
// to the caller; an empty one if nothing is.
func (r *recent) get(id string) history {
	r.mu.Lock()
	defer r.mu.Unlock()
	el, ok := r.byID[id]
	if !ok {
		return history{tracker: tracker.New(id, r.domain)}
	}
	h := *el.Value.(*history)
	h.tracker = h.tracker.Copy()
	return h
}

// fresh is a history of which nothing is known.
func (r *recent) fresh(id string) history {
	r.mu.Lock()
	defer r.mu.Unlock()
	return history{tracker: tracker.New(id, r.domain)}
}

// use gives trackers the slots of d from now on. What is remembered has others.
func (r *recent) use(d *domain.Domain) {
	r.clear()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.domain = d
}

// put remembers a history; that there is none is something to remember, too.
func (r *recent) put(h history) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.tracker.Domain() != r.domain {
		return // of a turn that began before use
	}
	id := h.tracker.ConversationID
	el, ok := r.byID[id]
	if ok && el.Value.(*history).lastID == h.lastID {
		r.inOrder.MoveToFront(el)
		return
	}
	r.remove(id)
	h.tracker = h.tracker.Copy()
	r.byID[id] = r.inOrder.PushFront(&h)
	r.bytes += h.size
	r.shrink()
}

// committed takes over what was just stored. The writer calls it in the order of
// its transactions; a change that does not follow on what is remembered makes
// the conversation forgotten.
func (r *recent) committed(c *change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	el, ok := r.byID[c.conversationID]
	if !ok {
		return
	}
	h := el.Value.(*history)
	if c.replace || !c.follows(h.tracker) {
		r.remove(c.conversationID)
		return
	}
	h.tracker = c.tracker.Copy() // its owner waits for the writer
	h.tracker.MarkSaved()
	h.lastID, h.lastData = c.lastID, c.rows[len(c.rows)-1].data
	h.size += c.size()
	r.bytes += c.size()
	r.inOrder.MoveToFront(el)
	r.shrink()
}

// shrink forgets conversations, the longest unused first, until the rest is
// within the bounds.
func (r *recent) shrink() {
	for len(r.byID) > r.maxConversations || r.bytes > r.maxBytes {
		r.remove(r.inOrder.Back().Value.(*history).tracker.ConversationID)
	}
}

// clear forgets everything.
func (r *recent) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	clear(r.byID)
	r.inOrder.Init()
	r.bytes = 0
}

func (r *recent) remove(id string) {
	if el, ok := r.byID[id]; ok {
		r.bytes -= el.Value.(*history).size
		r.inOrder.Remove(el)
		delete(r.byID, id)
	}
}
