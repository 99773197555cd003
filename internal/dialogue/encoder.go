package dialogue

import (
	"cmp"
	"slices"

	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// Encoder turns conversations into states. One is made for a domain; it is safe
// for concurrent use.
type Encoder struct {
	slots   []encodedSlot // that influence the conversation, sorted by name
	slot    map[string]int
	intents map[string]entityFilter
	loops   map[string]bool // actions that can be active loops
}

type encodedSlot struct {
	*domain.Slot
	initial string // features of the initial value
}

// entityFilter tells which entity labels count for an intent. An intent that the
// domain doesn't know has none: all labels count.
type entityFilter map[string]bool

// NewEncoder prepares the lookups for a domain.
func NewEncoder(d *domain.Domain) *Encoder {
	e := &Encoder{slot: map[string]int{}, intents: map[string]entityFilter{}, loops: map[string]bool{"action_two_stage_fallback": true}}
	for _, f := range d.Forms {
		e.loops[f.Name] = true
	}
	for _, s := range d.Slots {
		if s.Influences && s.Type != domain.Any {
			e.slots = append(e.slots, encodedSlot{s, featureText(s, s.InitialValue)})
		}
	}
	slices.SortFunc(e.slots, func(a, b encodedSlot) int { return cmp.Compare(a.Name, b.Name) })
	for i, s := range e.slots {
		e.slot[s.Name] = i
	}
	filterFor := func(intent string) entityFilter {
		filter := entityFilter{}
		for _, label := range d.UsedEntities(intent) {
			filter[label] = true
		}
		return filter
	}
	unrestricted := filterFor("") // most intents share it
	for _, name := range d.IntentNames() {
		e.intents[name] = unrestricted
		if i := d.Intent(name); i != nil && (i.UseNone || i.UseEntities != nil || i.IgnoreEntities != nil) {
			e.intents[name] = filterFor(name)
		}
	}
	return e
}

// entities gives the labels of a message's entities that count for its intent.
func (e *Encoder) entities(u *tracker.UserUttered, added []tracker.Entity) []string {
	if len(u.Entities)+len(added) == 0 {
		return nil
	}
	filter := e.intents[u.Intent]
	var labels []string
	add := func(label string) {
		if filter == nil || filter[label] {
			labels = append(labels, label)
		}
	}
	for _, list := range [2][]tracker.Entity{u.Entities, added} {
		for _, entity := range list {
			name, _ := entity["entity"].(string)
			if name == "" {
				continue
			}
			add(name)
			if role, _ := entity["role"].(string); role != "" {
				add(name + "#" + role)
			}
			if group, _ := entity["group"].(string); group != "" {
				add(name + "#" + group)
			}
		}
	}
	slices.Sort(labels)
	return slices.Compact(labels)
}
