package project

import (
	"os"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Endpoints is endpoints.yml: everything that an assistant talks to. A section
// that is absent or null is nil.
type Endpoints struct {
	File         string
	Action       *Endpoint // action_endpoint
	NLG          *Endpoint
	NLU          *Endpoint
	Models       *Endpoint
	TrackerStore *Endpoint
	LockStore    *Endpoint
	EventBroker  *Endpoint
	// Root has every section, also those that have readers of their own, such as
	// tracing; nil without a file.
	Root *yamlfile.Node
}

// Endpoint is one section (server.md §3.2, Rasa 3.6.21).
type Endpoint struct {
	Name      string // key of the section
	Type      string // "type", or "store_type" where both stand
	TypePos   diag.Position
	URL       string
	Params    map[string]any
	Headers   map[string]any
	Username  string // basic_auth
	Password  string
	BasicAuth bool
	Token     string
	TokenName string // "token" if the section says nothing
	CAFile    string
	// Other holds the keys that belong to the kind of endpoint, in file order.
	Other []yamlfile.Pair
	Pos   diag.Position // of the section's key
}

// endpointSections are the sections of Rasa 3.6 and Pro that an endpoints file
// can have.
var endpointSections = []string{
	"action_endpoint", "nlg", "nlu", "models", "tracker_store", "lock_store", "event_broker", "tracing", "metrics",
	"version", "secrets_manager", "anonymization", "logger", "privacy", "model_groups", "vector_store", "mcp_servers",
	"interaction_handling", "timer_store", "telemetry",
}

// ReadEndpoints reads the file at path. A missing file gives no endpoints.
func ReadEndpoints(path, display string, problems *diag.List) *Endpoints {
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return &Endpoints{File: display}
	}
	return ParseEndpoints(yamlfile.Read(path, display, problems), display, problems)
}

// ParseEndpoints interprets a parsed endpoints.yml; root is nil for an empty file.
func ParseEndpoints(root *yamlfile.Node, display string, problems *diag.List) *Endpoints {
	e := &Endpoints{File: display}
	if root.IsNull() {
		return e
	}
	if root.Kind != yamlfile.Map {
		problems.Errorf(root.Pos, "invalid-endpoints", "write action_endpoint: and url: below it", "the endpoints must be a map, not %s", root.Kind)
		return e
	}
	e.Root = root
	for key, into := range map[string]**Endpoint{
		"action_endpoint": &e.Action, "nlg": &e.NLG, "nlu": &e.NLU, "models": &e.Models,
		"tracker_store": &e.TrackerStore, "lock_store": &e.LockStore, "event_broker": &e.EventBroker,
	} {
		if n := root.Get(key); !n.IsNull() {
			*into = readEndpoint(key, root.Key(key).Pos, n, problems)
		}
	}
	for _, p := range root.Pairs {
		if !known(p.Key.Text, endpointSections) {
			problems.Warnf(p.Key.Pos, "unknown-key", diag.DidYouMean(p.Key.Text, endpointSections), "endpoints have no section %q; it is ignored", p.Key.Text)
		}
	}
	return e
}

func readEndpoint(name string, pos diag.Position, n *yamlfile.Node, problems *diag.List) *Endpoint {
	e := &Endpoint{Name: name, TokenName: "token", Pos: pos}
	if n.Kind != yamlfile.Map {
		problems.Errorf(n.Pos, "invalid-endpoints", "write the settings below it, such as url: or type:", "%s must be a map, not %s", name, n.Kind)
		return e
	}
	for _, p := range n.Pairs {
		switch p.Key.Text {
		case "url":
			e.URL = endpointText(p, problems)
		case "type":
			if !n.Has("store_type") {
				e.Type, e.TypePos = endpointText(p, problems), p.Value.Pos
			}
		case "store_type":
			e.Type, e.TypePos = endpointText(p, problems), p.Value.Pos
		case "token":
			e.Token = endpointText(p, problems)
		case "token_name":
			e.TokenName = endpointText(p, problems)
		case "cafile":
			e.CAFile = endpointText(p, problems)
		case "params":
			e.Params = endpointMap(p, problems)
		case "headers":
			e.Headers = endpointMap(p, problems)
		case "basic_auth":
			auth := endpointMap(p, problems)
			e.BasicAuth = len(auth) > 0
			e.Username, _ = auth["username"].(string)
			e.Password, _ = auth["password"].(string)
		default:
			e.Other = append(e.Other, p)
		}
	}
	if IsPythonPath(e.Type) {
		problems.Errorf(e.TypePos, "python-class", "use one of the types that are built in", "%s has the type %q, a Python class, which can't run here", name, e.Type)
	}
	if module := n.Get("actions_module"); name == "action_endpoint" && module != nil {
		problems.Errorf(module.Pos, "python-class", "start an action server and write its url:", "actions_module names a Python package, which can't run here")
	}
	return e
}

// Param returns a key that belongs to the kind of endpoint, or nil.
func (e *Endpoint) Param(name string) *yamlfile.Node {
	for _, p := range e.Other {
		if p.Key.Text == name {
			return p.Value
		}
	}
	return nil
}

// endpointText reads a scalar; numbers and the like count as written.
func endpointText(p yamlfile.Pair, problems *diag.List) string {
	if p.Value.IsNull() {
		return ""
	}
	if !p.Value.IsScalar() {
		problems.Errorf(p.Value.Pos, "invalid-value", "write a text", "%s must be a text, not %s", p.Key.Text, p.Value.Kind)
		return ""
	}
	return p.Value.Text
}

func endpointMap(p yamlfile.Pair, problems *diag.List) map[string]any {
	if p.Value.IsNull() {
		return nil
	}
	m, ok := p.Value.Any().(map[string]any)
	if !ok {
		problems.Errorf(p.Value.Pos, "invalid-value", "write names with values below it", "%s must be a map, not %s", p.Key.Text, p.Value.Kind)
	}
	return m
}

// IsPythonPath reports whether a type names a Python class other than Rasa's own;
// a Go binary can't load it.
func IsPythonPath(name string) bool {
	return strings.Contains(name, ".") && !strings.HasPrefix(name, "rasa.")
}

// Credentials is credentials.yml: the channels in file order.
type Credentials struct {
	File     string
	Channels []Channel
}

// Channel is one entry of credentials.yml.
type Channel struct {
	Name     string
	Pos      diag.Position
	Settings *yamlfile.Node // a map, or nil
}

// ReadCredentials reads the file at path. A missing file names no channels.
func ReadCredentials(path, display string, problems *diag.List) *Credentials {
	c := &Credentials{File: display}
	if _, err := os.Stat(path); os.IsNotExist(err) {
		return c
	}
	root := yamlfile.Read(path, display, problems)
	if root.IsNull() {
		return c
	}
	if root.Kind != yamlfile.Map {
		problems.Errorf(root.Pos, "invalid-credentials", "write rest: for the REST channel", "the credentials must be a map of channels, not %s", root.Kind)
		return c
	}
	for _, p := range root.Pairs {
		ch := Channel{Name: p.Key.Text, Pos: p.Key.Pos}
		if IsPythonPath(ch.Name) {
			problems.Errorf(ch.Pos, "python-class", "use a channel that is built in, such as rest", "channel %q is a Python class, which can't run here", ch.Name)
		}
		switch {
		case p.Value.IsNull():
		case p.Value.Kind == yamlfile.Map:
			ch.Settings = p.Value
		default:
			problems.Errorf(p.Value.Pos, "invalid-credentials", "write the settings below it, or nothing", "the settings of channel %q must be a map, not %s", p.Key.Text, p.Value.Kind)
		}
		c.Channels = append(c.Channels, ch)
	}
	return c
}
