// Package examples carries sample projects inside the binary, so that
// "loquat init" needs nothing but itself.
package examples

import "embed"

// Starter is the project that "loquat init" writes, below the folder "starter".
//
//go:embed starter/README.md starter/*.yml starter/data starter/tests
var Starter embed.FS
