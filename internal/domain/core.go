package domain

import "github.com/loquat-dev/loquat/internal/yamlfile"

// ForCoreTraining returns the domain as far as policies learn from it: without
// session settings, the contents of responses and of forms. Two domains that
// differ in those alone give equal JSON (Rasa 3.6.21).
func (d *Domain) ForCoreTraining() *Domain {
	c := *d
	c.Session = Session{ExpirationMinutes: defaultExpiration, CarryOverSlots: true}
	c.Responses = make(map[string][]Response, len(d.Responses))
	for name := range d.Responses {
		c.Responses[name] = nil
	}
	c.Forms = make([]Form, len(d.Forms))
	for i, f := range d.Forms {
		c.Forms[i] = Form{Name: f.Name, Pos: f.Pos}
	}
	if d.document != nil {
		c.document = &yamlfile.Node{Kind: yamlfile.Map, Pos: d.document.Pos}
		for _, p := range d.document.Pairs {
			switch p.Key.Text {
			case "session_config", "config":
				continue
			case "responses", "forms":
				p.Value = keysOnly(p.Value)
			}
			c.document.Pairs = append(c.document.Pairs, p)
		}
	}
	c.Complete()
	return &c
}

// keysOnly keeps the names of a section and drops what they stand for.
func keysOnly(section *yamlfile.Node) *yamlfile.Node {
	if section.IsNull() || section.Kind != yamlfile.Map {
		return section
	}
	out := &yamlfile.Node{Kind: yamlfile.Map, Pos: section.Pos}
	for _, p := range section.Pairs {
		out.Pairs = append(out.Pairs, yamlfile.Pair{Key: p.Key, Value: &yamlfile.Node{Pos: p.Key.Pos}})
	}
	return out
}
