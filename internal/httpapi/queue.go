package httpapi

import (
	"context"
	"sync/atomic"
)

// maxJobs is how many trainings, and how many tests, may run or wait.
const maxJobs = 5

// queue lets one job run at a time, since each takes all cores from those who
// talk, and a few wait.
type queue struct {
	jobs atomic.Int64 // that run or wait
	turn chan struct{}
}

func newQueue() *queue { return &queue{turn: make(chan struct{}, 1)} }

// enter counts a job, if there is room for it. It leaves when it is done.
func (q *queue) enter() (ok bool) {
	if q.jobs.Add(1) <= maxJobs {
		return true
	}
	q.leave()
	return false
}

func (q *queue) leave() { q.jobs.Add(-1) }

// wait blocks until it is the job's turn. Unless it fails, which it does when ctx
// ends, the job calls done at its end.
func (q *queue) wait(ctx context.Context) (done func(), err error) {
	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
