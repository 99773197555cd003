package tracker

import "maps"

// Update appends the event and applies its effect on the state.
func (t *Tracker) Update(e Event) {
	t.events.add(e)
	if u, ok := e.(*UserUttered); ok {
		t.inputChannel = u.InputChannel
	}
	if t.fold(e) {
		t.apply(e)
	} else { // Something was taken back: the state is what the rest leads to.
		t.state = t.replay(t.applied.len())
	}
	if n, due := t.trail.Due(t); due {
		s := t.replay(n)
		s.slots.shared.Store(true)
		t.trail.Remember(t, n, s)
	}
}

// replay returns the state that the first n applied events lead to by themselves.
func (t *Tracker) replay(n int) state {
	s, from := t.trail.Resume(t)
	if from == 0 {
		s.domain = t.domain
		s.reset()
	}
	for _, e := range t.applied.from(from)[:n-from] {
		s.apply(e)
	}
	return s
}

// UpdateAll updates the tracker with several events.
func (t *Tracker) UpdateAll(events []Event) {
	for _, e := range events {
		t.Update(e)
	}
}

// fold keeps the list of applied events up to date. It reports whether the state
// follows from applying e; otherwise earlier events were taken back.
func (t *Tracker) fold(e Event) bool {
	switch e := e.(type) {
	case *Restarted, *SessionStarted:
		t.applied = sequence{}
	case *ActionReverted:
		t.undoUntil(isAction)
		return false
	case *UserUtteranceReverted:
		t.undoUntil(isUser)
		t.undoUntil(isAction)
		return false
	case *ActionExecuted:
		if t.loops[e.Name] && !t.startsLoopOrReturns(e.Name) {
			t.collapseLoop(e.Name)
		} else {
			t.applied.add(e)
		}
	case *ActiveLoop:
		if e.Name != "" && !t.loops[e.Name] {
			loops := map[string]bool{e.Name: true}
			maps.Copy(loops, t.loops)
			t.loops = loops
		}
		t.applied.add(e)
	default:
		t.applied.add(e)
	}
	return true
}

func isAction(e Event) bool { _, ok := e.(*ActionExecuted); return ok }
func isUser(e Event) bool   { _, ok := e.(*UserUttered); return ok }

// undoUntil takes back applied events up to and including the latest that
// matches, or all of them when none does.
func (t *Tracker) undoUntil(match func(Event) bool) {
	for i, e := range t.AppliedBackward() {
		if match(e) {
			t.applied.cut(i)
			return
		}
	}
	t.applied = sequence{}
}

// startsLoopOrReturns reports whether a run of the loop is its first since it was
// activated, or comes back to it after a rejection or after another action
// answered the user. Other runs repeat the loop and are collapsed.
func (t *Tracker) startsLoopOrReturns(loop string) bool {
	next := "" // the action after the event at hand
	quiet := t.quietSince(loop)
	for i, e := range t.AppliedBackward() {
		if i < quiet {
			return false
		}
		switch e := e.(type) {
		case *ActiveLoop:
			if e.Name == "" {
				return true
			}
		case *ActionExecutionRejected:
			if e.Name == loop {
				return true
			}
		case *UserUttered:
			if next != "" && next != loop {
				return true
			}
		case *ActionExecuted:
			if e.Name == loop {
				return false
			}
			next = e.Name
		}
	}
	return true
}

// collapseLoop removes actions and user turns, with their featurization, since
// the previous run of the loop; everything else, such as slots, stays.
func (t *Tracker) collapseLoop(loop string) {
	from := t.quietSince(loop)
	for i, e := range t.AppliedBackward() {
		if i < from {
			break
		}
		if a, ok := e.(*ActionExecuted); ok && a.Name == loop {
			from = i + 1
			break
		}
	}
	since := t.applied.from(from)
	t.applied.cut(from)
	for _, e := range since {
		if _, featurization := e.(*UserFeaturization); !featurization && !isAction(e) && !isUser(e) {
			t.applied.add(e)
		}
	}
	n := t.applied.len()
	t.quiet = waypoint[string]{n: n, last: t.applied.at(n - 1), state: loop}
}

// quietSince is a place up to which nothing has happened since the previous run of
// a loop but what stays when the loop is collapsed, or 0 if there is none.
func (t *Tracker) quietSince(loop string) int {
	if t.quiet.state != loop || !t.quiet.holds(&t.applied) {
		return 0
	}
	return t.quiet.n
}
