package app

import (
	"os"
	"runtime"
	"runtime/debug"
)

// garbage is how much a program that understands messages lets lie around before
// it looks for it, in bytes.
const garbage = 24 << 20

// spareMemory sets how often garbage is looked for, once a model has been loaded.
// What a turn leaves behind is short-lived, so looking half as often as Go does by
// itself finds as much and gives a tenth more turns. But a share of a large model
// would be much more garbage than that of a small one, for nothing.
// GOGC in the environment decides otherwise.
func spareMemory() {
	if os.Getenv("GOGC") != "" {
		return
	}
	runtime.GC() // what loading has left behind
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(int(min(200, max(25, 100*garbage/m.HeapAlloc))))
}

// spareTrainingMemory is the same for training, whose memory is large arrays that
// are seldom replaced. The result undoes it.
func spareTrainingMemory() (undo func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	before := debug.SetGCPercent(25)
	return func() { debug.SetGCPercent(before) }
}
