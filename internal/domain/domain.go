// Package domain holds what an assistant knows about: intents, entities, slots,
// responses, forms and actions, as declared in domain.yml.
//
// A Domain is read once, merged from several files where a project splits it,
// and never changed afterwards; everything that runs shares one.
package domain

import (
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Domain is the merged declaration of one assistant. All lists keep Rasa's
// order, which decides the index of actions, labels and features.
type Domain struct {
	Version    string
	Intents    []Intent // sorted by name; default intents only where they are declared
	Entities   []Entity // in file order
	Slots      []*Slot  // in file order, then the automatic ones
	Responses  map[string][]Response
	Actions    []Action // as listed under actions:, in file order
	Forms      []Form   // in file order
	E2EActions []string // bot texts that stories use as actions
	Session    Session

	// StoreEntitiesAsSlots is config.store_entities_as_slots, true by default. It
	// only affects the implicit slot events of stories.
	StoreEntitiesAsSlots bool

	document *yamlfile.Node // what the files say, merged
	index    *index         // lookups by name, made when the domain is complete
}

// Intent is one declared intent.
type Intent struct {
	Name      string
	Retrieval bool // the base of retrieval intents such as faq/ask_name
	// UseEntities lists the entity labels (name, name#role, name#group) that
	// count for this intent in dialogue states; nil means all.
	UseEntities []string
	// UseNone is set when use_entities is empty, false or null.
	UseNone        bool
	IgnoreEntities []string
	Pos            diag.Position
}

// Entity is one declared entity type.
type Entity struct {
	Name       string
	Roles      []string
	Groups     []string
	Influences bool // influence_conversation, true by default
	Pos        diag.Position
}

// SlotType is the type of a slot as written in the domain.
type SlotType string

// The slot types of Rasa 3.6.
const (
	Text        SlotType = "text"
	Bool        SlotType = "bool"
	Categorical SlotType = "categorical"
	Float       SlotType = "float"
	List        SlotType = "list"
	Any         SlotType = "any"
)

// Slot is one declared slot.
type Slot struct {
	Name         string
	Type         SlotType
	InitialValue any
	Influences   bool     // influence_conversation
	Values       []string // categorical: lower-cased, as the feature vector orders them, without __other__
	RawValues    []any    // categorical: as written
	Min, Max     float64  // float
	Mappings     []Mapping
	Automatic    bool // requested_slot, session_started_metadata, knowledge base
	Pos          diag.Position
}

// MappingType says where a slot's value comes from.
type MappingType string

// The mapping types of Rasa 3.6.
const (
	FromEntity        MappingType = "from_entity"
	FromText          MappingType = "from_text"
	FromIntent        MappingType = "from_intent"
	FromTriggerIntent MappingType = "from_trigger_intent"
	Custom            MappingType = "custom"
)

// Mapping is one rule that fills a slot.
type Mapping struct {
	Type       MappingType
	Entity     string
	Role       string
	Group      string
	Value      any
	Action     string // custom mappings
	Intents    []string
	NotIntents []string
	Conditions []MappingCondition
	Raw        map[string]any // as written, for GET /domain and the action server
	Pos        diag.Position
}

// MappingCondition restricts a mapping to a form.
type MappingCondition struct {
	ActiveLoop    string // "" together with NoLoop means that no loop may be active
	NoLoop        bool   // active_loop: null
	RequestedSlot string // "" means any
}

// Response is one variation of a response.
type Response struct {
	Text       string
	HasText    bool
	ID         string
	Channel    string
	Conditions []ResponseCondition // all must hold; nil for none, an empty list never holds
	// Node is the variation as written.
	Node *yamlfile.Node
	Pos  diag.Position
}

// NewResponse makes a variation with a text alone.
func NewResponse(text string) Response {
	return Response{Text: text, HasText: true, Node: &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{pair("text", yamlfile.NewString(text))}}}
}

// Content has every key as written, and is what is rendered: text, buttons,
// image, custom, attachment, elements, quick_replies, metadata and any other. The
// map belongs to the caller.
func (r *Response) Content() map[string]any {
	content, _ := r.Node.Any().(map[string]any)
	return content
}

// ResponseCondition is one condition of a variation: slot Name has Value.
type ResponseCondition struct {
	Type  string
	Name  string
	Value any
}

// Action is one entry under actions:.
type Action struct {
	Name       string
	SendDomain bool
	Pos        diag.Position
}

// Form is one declared form.
type Form struct {
	Name           string
	RequiredSlots  []string
	IgnoredIntents []string
	Raw            map[string]any
	Pos            diag.Position
}

// Session is session_config.
type Session struct {
	ExpirationMinutes float64 // 60 by default; 0 means sessions never expire
	CarryOverSlots    bool    // true by default
}

// DefaultIntents are known without being declared.
var DefaultIntents = []string{"restart", "back", "out_of_scope", "session_start", "nlu_fallback"}

// DefaultActions are the actions that every assistant has, in index order. The
// twelfth is the marker that stands for "anything before" in rules.
var DefaultActions = []string{
	"action_listen", "action_restart", "action_session_start", "action_default_fallback",
	"action_deactivate_loop", "action_revert_fallback_events", "action_default_ask_affirmation",
	"action_default_ask_rephrase", "action_two_stage_fallback", "action_unlikely_intent",
	"action_back", "...", "action_extract_slots",
}
