// Package architecture guards the shape of the repository: which package may
// import which, and that each says why it exists.
package architecture
