package nlu

import (
	"encoding/json"
	"fmt"
)

// TokenTags are the tags of one message's tokens, with how sure the learner is
// of each. Confidence is nil if it does not say; Tags is nil if the learner has
// no such labels.
type TokenTags struct {
	Tags       []Tag
	Confidence []float64
}

// TagLayers are what a learner says about every token: entity type, role, group.
type TagLayers struct {
	Entity, Role, Group TokenTags
}

// CommaSplit is the setting split_entities_by_comma: true, false, or a mapping
// from entity type to one of them. Types that a mapping leaves out are split,
// unless it says otherwise under the setting's own name.
type CommaSplit struct {
	Default  bool
	ByEntity map[string]bool
}

const commaSplitDefaultKey = "split_entities_by_comma"

// For reports whether entities of this type are split at commas.
func (c CommaSplit) For(entity string) bool {
	if split, ok := c.ByEntity[entity]; ok {
		return split
	}
	return c.Default
}

// UnmarshalJSON reads a boolean or a mapping to booleans.
func (c *CommaSplit) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, &c.Default); err == nil {
		c.ByEntity = nil
		return nil
	}
	var m map[string]bool
	if err := json.Unmarshal(data, &m); err != nil {
		return fmt.Errorf("split_entities_by_comma must be true, false or a mapping from entity to one of them")
	}
	c.Default = true
	if d, ok := m[commaSplitDefaultKey]; ok {
		c.Default = d
		delete(m, commaSplitDefaultKey)
	}
	c.ByEntity = m
	return nil
}

// MarshalJSON writes what UnmarshalJSON reads.
func (c CommaSplit) MarshalJSON() ([]byte, error) {
	if c.ByEntity == nil {
		return json.Marshal(c.Default)
	}
	m := map[string]bool{commaSplitDefaultKey: c.Default}
	for k, v := range c.ByEntity {
		m[k] = v
	}
	return json.Marshal(m)
}

// Entities turns tags into entities, as Rasa's DIETClassifier, TEDPolicy and
// CRFEntityExtractor do: an entity begins at a B or U, after a token outside,
// where its type, role or group changes, or where the gap to the token before is
// too wide: more than one character, or more than three for types that are not
// split at commas. The confidence of an entity is the smallest one of its tokens.
//
// The extractor's name is left to the caller. With BILOU tags, repair them first.
func Entities(text string, tokens []Token, layers TagLayers, split CommaSplit) []Entity {
	var out []Entity
	last := -1 // token that the newest entity ends with
	for i := range tokens {
		if i >= len(layers.Entity.Tags) || layers.Entity.Tags[i].Outside() {
			continue
		}
		if last == i-1 && last >= 0 && continues(layers, i) && tokens[i].Start-tokens[last].End <= widestGap(split, out[len(out)-1].Entity) {
			e := &out[len(out)-1]
			e.End = tokens[i].End
			lower(e.ConfidenceEntity, layers.Entity, i)
			lower(e.ConfidenceRole, layers.Role, i)
			lower(e.ConfidenceGroup, layers.Group, i)
		} else {
			out = append(out, newEntity(tokens[i], layers, i))
		}
		last = i
	}
	if len(out) > 0 {
		runes := []rune(text)
		for i := range out {
			out[i].Value = string(runes[out[i].Start:out[i].End])
		}
	}
	return out
}

func widestGap(split CommaSplit, entity string) int {
	if split.For(entity) {
		return 1
	}
	return 3
}

// continues reports whether token i carries on the entity of the token before.
// An I or L does so whatever its type, and so does a B that repeats the tag
// before it: recorded from the original, which its BILOU repair makes rare.
func continues(layers TagLayers, i int) bool {
	tag, before := layers.Entity.Tags[i], layers.Entity.Tags[i-1]
	switch tag.Prefix {
	case 'U':
		return false
	case 'I', 'L':
	default:
		if tag != before {
			return false
		}
	}
	return layers.Role.label(i) == layers.Role.label(i-1) &&
		layers.Group.label(i) == layers.Group.label(i-1)
}

func newEntity(t Token, layers TagLayers, i int) Entity {
	e := Entity{
		Entity: layers.Entity.label(i),
		Role:   layers.Role.label(i),
		Group:  layers.Group.label(i),
		Start:  t.Start,
		End:    t.End,
	}
	e.ConfidenceEntity = layers.Entity.confidence(i)
	if e.Role != "" {
		e.ConfidenceRole = layers.Role.confidence(i)
	}
	if e.Group != "" {
		e.ConfidenceGroup = layers.Group.confidence(i)
	}
	return e
}

func (t TokenTags) label(i int) string {
	if i >= len(t.Tags) {
		return ""
	}
	return t.Tags[i].Label
}

func (t TokenTags) confidence(i int) *float64 {
	if i >= len(t.Confidence) {
		return nil
	}
	c := t.Confidence[i]
	return &c
}

func lower(confidence *float64, t TokenTags, i int) {
	if confidence != nil && i < len(t.Confidence) {
		*confidence = min(*confidence, t.Confidence[i])
	}
}
