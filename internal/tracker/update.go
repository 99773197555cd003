package tracker

// Update appends the event and applies its effect on the state.
func (t *Tracker) Update(e Event) {
	t.events = append(t.events, e)
}
