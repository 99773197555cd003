package migrate_test

import (
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/migrate"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// FuzzDomain makes sure that any map is migrated to something that can be read, or
// refused with a reason that stands in the file. Package app compares with Rasa.
func FuzzDomain(f *testing.F) {
	for _, seed := range []string{
		"version: \"2.0\"\nentities: [a]\nslots: {a: {type: text}, b: {}}\nforms: {f: {required_slots: {a: [{type: from_text}], c: []}}}",
		"forms: {f: {a: [{type: from_entity, entity: a, conditions: []}]}, g: {a: [{entity: a, type: from_entity}]}}\nslots:",
		"forms: {f: {ignored_intents: x, required_slots: [a]}}", "forms: x", "slots: [a]", "version: 3.1", "slots: {a: {mappings: {x: y}, auto_fill: 1}}",
		"entities:\nslots: {a: {mappings: [5], auto_fill: false}}\nforms: {f:, g: {required_slots:}, h: {required_slots: {a: [5], b: {}}}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var problems diag.List
		root := yamlfile.Parse([]byte(text), "domain.yml", &problems)
		if root == nil || root.Kind != yamlfile.Map || problems.HasErrors() {
			return
		}
		before := root.YAML(0)
		out := migrate.Domain([]migrate.File{{Name: "domain.yml", Root: root}}, &problems)
		if root.YAML(0) != before {
			t.Error("the domain that was given has changed")
		}
		if out == nil && !problems.HasErrors() {
			t.Fatal("nothing comes out, without a reason")
		}
		for _, p := range problems.All() {
			if p.Pos.File != "domain.yml" || p.Pos.Line == 0 {
				t.Errorf("a problem without a place: %v", p)
			}
		}
		if problems.HasErrors() {
			return
		}
		var again diag.List
		yamlfile.Parse(yamlfile.File(out[0].Root.YAML(0)), "new.yml", &again)
		if again.HasErrors() {
			t.Errorf("%v\n%s", again.Err(), out[0].Root.YAML(0))
		}
	})
}
