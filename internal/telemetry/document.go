package telemetry

import (
	"fmt"
	"reflect"
	"strings"
)

// Markdown writes the catalogue for docs/telemetry.md: every event with every
// property, its class and what it says, and the closed lists.
func Markdown() string {
	var b strings.Builder
	lists := map[string]string{}
	b.WriteString("### Around every event\n\n")
	writeTable(&b, describe(reflect.TypeFor[envelope]()), "", lists)
	for _, e := range catalogue {
		about := aboutOf(e)
		fmt.Fprintf(&b, "\n### %s\n\nWhen: %s. Why: %s.\n\n", about.name, about.when, about.why)
		writeTable(&b, describeEvent(e), "", lists)
	}
	b.WriteString("\n### Lists\n\nThe last word of a list stands for everything that is not on it.\n\n")
	fmt.Fprintf(&b, "- **error codes**: those of [problems.md](problems.md), and `%s`\n", strings.Join(otherErrors, "` `"))
	for _, l := range longLists {
		if words, ok := lists[listNameOf(l)]; ok {
			fmt.Fprintf(&b, "- **%s**: %s\n", listNameOf(l), words)
		}
	}
	return b.String()
}

// longLists are too long for a table.
var longLists = []list{languages{}, components{}, providers{}, models{}, channels{}, backends{}}

// listNameOf is the name of a list: "error codes".
func listNameOf(l list) string {
	name := reflect.TypeOf(l).Name()
	if name == "errorCodes" {
		return "error codes"
	}
	return name
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

// kindInWords describes the values that a schema allows.
func kindInWords(f *fragment, lists map[string]string) string {
	null := ""
	if f.Type[len(f.Type)-1] == "null" {
		null = " or null"
	}
	switch {
	case f.Items != nil && f.Items.Properties != nil:
		return fmt.Sprintf("list, at most %d", f.MaxItems)
	case f.Items != nil:
		return fmt.Sprintf("list of %s, at most %d", kindInWords(f.Items, lists), f.MaxItems)
	case f.Enum != nil:
		var words []string
		for _, word := range f.Enum.words {
			words = append(words, fmt.Sprintf("`%s`", word))
		}
		if len(words) <= 13 {
			return strings.Join(words, ", ") + null
		}
		lists[f.name] = strings.Join(words, " ")
		return "one of " + f.name + " (below)" + null
	case f.MultipleOf != 0:
		return "0 to 1, in tenths"
	case f.name != "":
		return f.name + null
	}
	return "object"
}
