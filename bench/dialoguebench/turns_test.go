package dialoguebench

import (
	"fmt"
	"runtime"
	"testing"
)

// What a turn allocates tells without a clock whether it goes through the whole
// conversation.
func TestTurnsDoNotGrowWithTheConversation(t *testing.T) {
	for _, talk := range talks {
		t.Run(talk.name, func(t *testing.T) {
			a, err := trainCafe(t.Context(), "../..", talk.config)
			if err != nil {
				t.Fatal(err)
			}
			c, err := newTalker(t.Context(), a, "memory", "", talk.messages)
			if err != nil {
				t.Fatal(err)
			}
			bytes := func(events int) uint64 {
				id := fmt.Sprint(events)
				n, err := c.grow(t.Context(), id, events)
				if err != nil {
					t.Fatal(err)
				}
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for i := range 30 * len(talk.messages) {
					if err := c.turn(t.Context(), id, n+i); err != nil {
						t.Fatal(err)
					}
				}
				runtime.ReadMemStats(&after)
				return (after.TotalAlloc - before.TotalAlloc) / uint64(30*len(talk.messages))
			}
			if short, long := bytes(shortEvents), bytes(6_000); long > 2*short {
				t.Errorf("a turn allocates %d bytes at event 10 and %d at event 6,000", short, long)
			}
			if err := c.close(); err != nil {
				t.Error(err)
			}
		})
	}
}
