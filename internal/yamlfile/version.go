package yamlfile

import (
	"strconv"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
)

// FormatVersion is the version of training data and domain files that we read.
const FormatVersion = "3.1"

// CheckVersion judges the key "version" of a training data or domain file as Rasa
// 3.6.21 does. It reports false for a file whose content is to be skipped because
// it is newer, and for one whose version is no text.
func CheckVersion(root *Node, problems *diag.List) bool {
	v := root.Get("version")
	if v == nil {
		return true
	}
	if v.Kind != String {
		problems.Errorf(v.Pos, "version", `write version: "3.1"`, "the version is %s, not a string", v.Kind)
		return false
	}
	major, minor, ok := parseVersion(v.Text)
	switch {
	case !ok:
		problems.Warnf(v.Pos, "version", `write version: "3.1"`, "the version %q can't be understood; the file is read as %s", v.Text, FormatVersion)
	case major > 3 || major == 3 && minor > 1:
		problems.Warnf(v.Pos, "version", "", "the file has version %s, newer than %s, and is skipped", v.Text, FormatVersion)
		return false
	case major < 3 || minor < 1:
		problems.Warnf(v.Pos, "version", `write version: "3.1"`, "the file has version %s, older than %s; it is read as %s", v.Text, FormatVersion, FormatVersion)
	}
	return true
}

func parseVersion(s string) (major, minor int, ok bool) {
	first, rest, _ := strings.Cut(s, ".")
	second, _, _ := strings.Cut(rest, ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	if second != "" {
		if minor, err = strconv.Atoi(second); err != nil {
			return 0, 0, false
		}
	}
	return major, minor, true
}
