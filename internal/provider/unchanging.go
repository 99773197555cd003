package provider

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
)

// unchanging is what of a project must be the same when a model is fine-tuned:
// the configuration but for epochs; intents, entities, roles, groups and actions;
// the domain without texts.
type unchanging struct {
	Config map[string]string          `json:"config"` // recipe and language
	Lists  map[string][]configured    `json:"components"`
	Labels []string                   `json:"nlu"`  // sorted, each with its kind before it
	Domain map[string]json.RawMessage `json:"core"` // by section
}

// configured is a component of the pipeline, or a policy, with all its settings.
type configured struct {
	Name     string            `json:"name"`
	Settings map[string]string `json:"settings"` // as JSON, defaults too
}

func unchangingOf(i *Importer) unchanging {
	p := i.Project
	u := unchanging{
		Config: map[string]string{"recipe": p.Config.Recipe, "language": p.Config.Language},
		Lists:  map[string][]configured{"pipeline": configuredOf(p.Config.Pipeline, i.Types), "policies": configuredOf(p.Config.Policies, i.Types)},
		Labels: labelSet(p),
	}
	if data, err := json.Marshal(p.Domain.ForCoreTraining()); err == nil {
		_ = json.Unmarshal(data, &u.Domain) // it is an object of our own
	}
	return u
}

func configuredOf(s project.Section, types graph.Types) []configured {
	list := []configured{}
	for _, item := range s.Items {
		c := configured{item.Name[strings.LastIndexByte(item.Name, '.')+1:], map[string]string{}}
		settings := graph.Config(item.Values())
		if t := types[c.Name]; t != nil {
			settings = graph.Merged(t.Defaults, settings)
		}
		for key := range settings {
			if key != "epochs" {
				c.Settings[key] = settings.Literal(key)
			}
		}
		list = append(list, c)
	}
	return list
}

// labelSet are the intents, response keys and entity labels of the NLU data and
// the actions of the stories.
func labelSet(p *project.Project) []string {
	set := map[string]bool{}
	add := func(kind, name string) {
		if name != "" {
			set[kind+" "+name] = true
		}
	}
	for _, e := range p.NLU.Examples {
		add("intent", e.Intent)
		add("response key", e.IntentResponseKey)
		for _, a := range e.Entities {
			add("entity", a.Entity)
			if a.Role != "" {
				add("role", a.Entity+"#"+a.Role)
			}
			if a.Group != "" {
				add("group", a.Entity+"#"+a.Group)
			}
		}
	}
	for _, a := range LabelsOf(p).ActionNames {
		add("action", a)
	}
	return slices.Sorted(maps.Keys(set))
}

// difference is one thing that is not as it was, and where.
type difference struct {
	pos  diag.Position
	what string
}

// configDifferences compares configurations; c is the present one.
func (u unchanging) configDifferences(now unchanging, c *project.Config) []difference {
	var out []difference
	for _, key := range slices.Sorted(maps.Keys(now.Config)) {
		if was, is := u.Config[key], now.Config[key]; was != is {
			out = append(out, difference{diag.Position{File: c.File}, fmt.Sprintf("%s was %q and is %q", key, was, is)})
		}
	}
	for _, s := range []struct {
		name    string
		section project.Section
	}{{"pipeline", c.Pipeline}, {"policies", c.Policies}} {
		was, is := u.Lists[s.name], now.Lists[s.name]
		if before, after := names(was), names(is); !slices.Equal(before, after) {
			what := nameDifferences(before, after)
			if what == "" {
				what = "in another order"
			}
			out = append(out, difference{s.section.Pos, s.name + ": " + what})
			continue
		}
		for i := range is {
			out = append(out, is[i].settingDifferences(was[i], s.section.Items[i])...)
		}
	}
	return out
}

func names(list []configured) []string {
	out := make([]string, len(list))
	for i, c := range list {
		out[i] = c.Name
	}
	return out
}

func (c configured) settingDifferences(was configured, item project.Item) []difference {
	var out []difference
	keys := maps.Clone(c.Settings)
	maps.Copy(keys, was.Settings)
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		before, after := cmp.Or(was.Settings[key], "not set"), cmp.Or(c.Settings[key], "not set")
		if before == after {
			continue
		}
		pos := item.Pos
		if v := item.Param(key); v != nil {
			pos = v.Pos
		}
		out = append(out, difference{pos, fmt.Sprintf("%s of %s was %s and is %s", key, c.Name, before, after)})
	}
	return out
}

// domainDifferences compares the sections of domains. Where a section has other
// names, it tells which.
func (u unchanging) domainDifferences(now unchanging) string {
	sections := maps.Clone(now.Domain)
	if sections == nil {
		sections = map[string]json.RawMessage{}
	}
	maps.Copy(sections, u.Domain)
	var out []string
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		was, is := u.Domain[name], now.Domain[name]
		if string(was) == string(is) {
			continue
		}
		what := nameDifferences(namesIn(was), namesIn(is))
		if what == "" {
			what = "changed"
		}
		out = append(out, name+": "+what)
	}
	return strings.Join(out, "; ")
}

// namesIn gives the names in a section: the keys of a map, and of a list its
// texts and the keys of its maps.
func namesIn(section json.RawMessage) []string {
	var found []string
	collect := func(v any) {
		switch v := v.(type) {
		case string:
			found = append(found, v)
		case map[string]any:
			found = slices.AppendSeq(found, maps.Keys(v))
		}
	}
	var v any
	if section != nil && json.Unmarshal(section, &v) == nil {
		if list, ok := v.([]any); ok {
			for _, item := range list {
				collect(item)
			}
		} else {
			collect(v)
		}
	}
	slices.Sort(found)
	return found
}

// nameDifferences tells which names have come and which have gone; "" if none.
func nameDifferences(was, is []string) string {
	var parts []string
	for _, d := range []struct {
		word     string
		has, not []string
	}{{"new", is, was}, {"gone", was, is}} {
		left := map[string]int{}
		for _, n := range d.not {
			left[n]++
		}
		var list []string
		for _, n := range d.has {
			if left[n]--; left[n] < 0 {
				list = append(list, n)
			}
		}
		if len(list) > mostNames {
			list = append(list[:mostNames:mostNames], fmt.Sprintf("and %d more", len(list)-mostNames))
		}
		if len(list) > 0 {
			parts = append(parts, d.word+": "+strings.Join(list, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// mostNames is how many names a message lists.
const mostNames = 10
