// Package parallel spreads arithmetic over processor cores without letting their
// number show in the result: work is cut into parts that touch different memory,
// and sums over parts are taken in the order of the parts.
package parallel

import "sync"

// Ranges calls f for consecutive parts of 0..n, on up to threads goroutines, and
// returns when all are done. Where the parts end depends on threads, so f must
// treat every index by itself.
func Ranges(threads, n int, f func(from, to int)) {
	threads = min(threads, n)
	if threads <= 1 {
		if n > 0 {
			f(0, n)
		}
		return
	}
	var wg sync.WaitGroup
	for i := 1; i < threads; i++ {
		wg.Go(func() { f(n*i/threads, n*(i+1)/threads) })
	}
	f(0, n/threads)
	wg.Wait()
}

// chunk is how many terms one partial sum of Sum holds. It does not depend on
// the number of threads, and so neither does the result.
const chunk = 256

// Sum adds up what f gives for consecutive chunks of 0..n.
func Sum(threads, n int, f func(from, to int) float64) float64 {
	parts := make([]float64, (n+chunk-1)/chunk)
	Ranges(threads, len(parts), func(from, to int) {
		for c := from; c < to; c++ {
			parts[c] = f(c*chunk, min(n, (c+1)*chunk))
		}
	})
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return sum
}
