// Package walk drives assistants with messages, events and action servers' answers
// drawn at random, and asks after each turn what must always be true: nothing
// panics or goes on for ever, what the user said is in the conversation, and the
// events alone, written as JSON and read again, lead to the same conversation and
// the same prediction.
//
// go test takes a few hundred turns; make property takes 100,000. A failure prints
// the flags that repeat it.
package walk
