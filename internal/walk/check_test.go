package walk

import (
	"bytes"
	"context"
	"reflect"

	"github.com/loquat-dev/loquat/internal/dialogue"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// check compares a conversation as it is with the one that its events lead to,
// written as JSON and read again.
func (w *walker) check(live *tracker.Tracker) {
	for _, e := range live.Unsaved() {
		written := tracker.MarshalEvent(e)
		read, err := tracker.UnmarshalEvent(written)
		if err != nil {
			w.fail("%s does not read back: %v", written, err)
			return
		}
		if again := tracker.MarshalEvent(read); !bytes.Equal(written, again) {
			w.fail("%s reads back as %s", written, again)
		}
		w.read = append(w.read, read)
	}
	rebuilt := tracker.FromEvents(live.ConversationID, live.Domain(), w.read)
	if len(rebuilt.Events()) != len(live.Events()) {
		w.fail("there are %d events, %d were stored", len(live.Events()), len(rebuilt.Events()))
		return
	}
	if want, got := live.AppendState(nil, tracker.Applied), rebuilt.AppendState(nil, tracker.Applied); !bytes.Equal(want, got) {
		w.fail("the conversation is\n\t%s\nfrom its events it is\n\t%s", want, got)
		return
	}
	if !reflect.DeepEqual(live.Slots(), rebuilt.Slots()) {
		w.fail("slots are %#v, from events %#v", live.Slots(), rebuilt.Slots())
	}
	for _, s := range w.domain.Slots {
		if _, ok := live.Slots()[s.Name]; !ok {
			w.fail("slot %s is gone", s.Name)
		}
	}
	want, got := w.predict(live), w.predict(rebuilt)
	if want == nil || got == nil {
		return
	}
	if !reflect.DeepEqual(want.Probabilities, got.Probabilities) || want.Policy != got.Policy {
		w.fail("the prediction is %s %v, from its events %s %v", want.Policy, want.Probabilities, got.Policy, got.Probabilities)
	}
}

func (w *walker) predict(t *tracker.Tracker) *dialogue.Prediction {
	p, err := w.bot.Predict(context.Background(), dialogue.Situation{Tracker: t, Domain: w.domain})
	if err != nil {
		w.fail("predict: %v", err)
		return nil
	}
	return p
}
