package telemetry

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// markdown writes the catalogue for docs/telemetry.md: every event with every
// property, its class and what it says, and the closed lists.
func markdown() string {
	var b strings.Builder
	lists := map[string]string{}
	b.WriteString("### Around every event\n\n")
	writeTable(&b, describe(reflect.TypeFor[envelope]()), "", lists)
	for _, e := range catalogue {
		fmt.Fprintf(&b, "\n### %s\n\nWhen: %s. Why: %s.\n\n", about(e, "name"), about(e, "when"), about(e, "why"))
		writeTable(&b, schemaOf(about(e, "name")), "", lists)
	}
	b.WriteString("\n### Lists\n\nThe last word of a list stands for everything that is not on it.\n\n")
	lists["error code"] = "those of [problems.md](problems.md), and"
	for _, code := range wordsOf(reflect.TypeFor[ErrorCode]())[len(documentedCodes()):] {
		lists["error code"] += fmt.Sprintf(" `%s`", code)
	}
	for _, name := range slices.Sorted(maps.Keys(lists)) {
		fmt.Fprintf(&b, "- **%s**: %s\n", name, lists[name])
	}
	return b.String()
}

func writeTable(b *strings.Builder, f *fragment, prefix string, lists map[string]string) {
	if prefix == "" {
		b.WriteString("| Property | Value | Meaning |\n|---|---|---|\n")
	}
	for _, name := range f.order {
		p := f.Properties[name]
		fmt.Fprintf(b, "| `%s%s` | %s | %s |\n", prefix, name, kindInWords(p, lists), p.Description)
		switch {
		case p.Properties != nil:
			writeTable(b, p, prefix+name+".", lists)
		case p.Items != nil && p.Items.Properties != nil:
			writeTable(b, p.Items, prefix+name+"[].", lists)
		}
	}
}

// capital is where a word begins in the name of a type.
var capital = regexp.MustCompile("([a-z])([A-Z])")

// kindInWords describes the values that a schema allows.
func kindInWords(f *fragment, lists map[string]string) string {
	null := ""
	if slices.Contains(f.Type, "null") {
		null = " or null"
	}
	switch {
	case f.Items != nil && f.Items.Properties != nil:
		return fmt.Sprintf("list, at most %d", f.MaxItems)
	case f.Items != nil:
		return fmt.Sprintf("list of %s, at most %d", kindInWords(f.Items, lists), f.MaxItems)
	case f.Enum != nil:
		var words []string
		for _, word := range f.Enum {
			if word != nil {
				words = append(words, fmt.Sprintf("`%v`", word))
			}
		}
		if len(words) <= 13 {
			return strings.Join(words, ", ") + null
		}
		name := strings.ToLower(capital.ReplaceAllString(f.Title, "$1 $2"))
		lists[name] = strings.Join(words, " ")
		return "one of the list *" + name + "* (below)" + null
	case f.Title != "":
		return f.Title + null
	}
	return "object"
}
