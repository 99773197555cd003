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
}

type encodedSlot struct {
	*domain.Slot
	initial string // features of the initial value
}

// entityFilter tells which entity labels count for an intent; nil means all.
type entityFilter map[string]bool

// NewEncoder prepares the lookups for a domain.
func NewEncoder(d *domain.Domain) *Encoder {
	e := &Encoder{slot: map[string]int{}, intents: map[string]entityFilter{}}
	for _, s := range d.Slots {
		if s.Influences && s.Type != domain.Any {
			e.slots = append(e.slots, encodedSlot{s, featureText(s, s.InitialValue)})
		}
	}
	slices.SortFunc(e.slots, func(a, b encodedSlot) int { return cmp.Compare(a.Name, b.Name) })
	for i, s := range e.slots {
		e.slot[s.Name] = i
	}
	for _, name := range domain.DefaultIntents {
		e.intents[name] = newEntityFilter(d, &domain.Intent{})
	}
	for i := range d.Intents {
		e.intents[d.Intents[i].Name] = newEntityFilter(d, &d.Intents[i])
	}
	return e
}

// newEntityFilter works out used entities: those included, with their roles and
// groups, without those excluded.
func newEntityFilter(d *domain.Domain, intent *domain.Intent) entityFilter {
	all := intent.UseEntities == nil && !intent.UseNone && len(intent.IgnoreEntities) == 0
	used := entityFilter{}
	for i := range d.Entities {
		e := &d.Entities[i]
		labels := labelsOf(e)
		included := !intent.UseNone && (intent.UseEntities == nil || slices.Contains(intent.UseEntities, e.Name))
		if !e.Influences && !(slices.Contains(intent.UseEntities, e.Name) && len(intent.IgnoreEntities) > 0) {
			included, all = false, false
		}
		for _, label := range labels {
			if included && !slices.Contains(intent.IgnoreEntities, e.Name) && !slices.Contains(intent.IgnoreEntities, label) ||
				slices.Contains(intent.UseEntities, label) && !slices.Contains(intent.IgnoreEntities, label) {
				used[label] = true
			}
		}
	}
	if all {
		return nil
	}
	return used
}

func labelsOf(e *domain.Entity) []string {
	labels := []string{e.Name}
	for _, r := range e.Roles {
		labels = append(labels, e.Name+"#"+r)
	}
	for _, g := range e.Groups {
		labels = append(labels, e.Name+"#"+g)
	}
	return labels
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
