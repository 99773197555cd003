// Package version says which Loquat this is, and which Rasa it behaves like.
package version

import "runtime/debug"

// Loquat is the version of this program. Release builds set it with -ldflags.
var Loquat = "0.1.0-dev"

// Rasa is the release of Rasa Open Source whose behaviour is followed; files and
// protocols that carry a version carry this one.
const Rasa = "3.6.21"

// RasaPro is the release of Rasa Pro whose documentation is followed for flows.
const RasaPro = "3.14.0"

// Commit returns the revision that the binary was built from, or "".
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return ""
}
