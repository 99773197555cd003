// Package endtoend tests the whole program as users run it: another process,
// its command line, its ports, and what is left of it after kill -9.
package endtoend
