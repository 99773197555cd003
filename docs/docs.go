// Package docs gives the program those pages of documentation that it reads.
package docs

import _ "embed" // for Problems

// Problems is problems.md: every code that a problem of a project can have.
//
//go:embed problems.md
var Problems string
