package yamlfile

import (
	"cmp"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
)

// FormatVersion is the version of training data and domain files that we read.
const FormatVersion = "3.1"

// CheckVersion reports whether a training data or domain file counts: it doesn't
// when it says that it is written for a later version of the format than ours, or
// when its version is no text (Rasa 3.6.21).
func CheckVersion(root *Node, problems *diag.List) bool {
	v := root.Get("version")
	if v == nil {
		return true
	}
	text, ok := v.Str()
	if !ok {
		problems.Errorf(v.Pos, "invalid-version", `write version: "`+FormatVersion+`"`, "the version must be in quotes, it is %s", v.Kind)
		return false
	}
	switch order, ok := compareVersions(text, FormatVersion); {
	case !ok:
		problems.Warnf(v.Pos, "invalid-version", `write version: "`+FormatVersion+`"`, "%q is no version; the file is read as %s", text, FormatVersion)
	case order > 0:
		problems.Warnf(v.Pos, "newer-version", `write version: "`+FormatVersion+`" if the file does not need a newer one`,
			"version %q is newer than %s; the file is skipped", text, FormatVersion)
		return false
	case order < 0:
		problems.Warnf(v.Pos, "older-version", `write version: "`+FormatVersion+`"`, "version %q is older than %s; the file is read as %s", text, FormatVersion, FormatVersion)
	}
	return true
}

// compareVersions compares dotted numbers.
func compareVersions(a, b string) (order int, ok bool) {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(as), len(bs)) {
		x, okX := versionPart(as, i)
		y, okY := versionPart(bs, i)
		if !okX || !okY {
			return 0, false
		}
		if c := cmp.Compare(x, y); c != 0 && order == 0 {
			order = c
		}
	}
	return order, true
}

func versionPart(parts []string, i int) (n int, ok bool) {
	if i >= len(parts) {
		return 0, true
	}
	for _, c := range parts[i] {
		if c < '0' || c > '9' || n > 1e6 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, parts[i] != ""
}
