package telemetry

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"go.yaml.in/yaml/v4"
)

// state is what is remembered between runs: the choice, and the identity of this
// installation. It lives in the key metrics of loquat/global.yml in the user's
// configuration folder, whose other keys are left alone.
type state struct {
	present bool
	enabled bool
	id      string // 32 hex digits; "" until first needed, and after disable
	salt    string // 64 hex digits; never sent, never printed
	notice  int    // SchemaSet of the notice that was shown; 0 for none
	date    time.Time
}

// identity returns the identifier, or nil if there is none.
func (s state) identity() *ID {
	if s.id == "" {
		return nil
	}
	return &ID{matched{s.id}}
}

// maxStateSize bounds the state file, in bytes.
const maxStateSize = 64 << 10

// errState says that the state file exists and can't be understood. Nobody can
// know which choice it held, so that this counts as off.
var errState = errors.New("the state file can't be read")

// readState reads the file at path. A missing file is no error.
func readState(path string) (state, error) {
	document, err := readDocument(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // a file in the way of the folder
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("%w: %s: %w", errState, path, err)
	}
	s, err := parseState(child(document, "metrics"))
	if err != nil {
		return state{}, fmt.Errorf("%w: %s: %w", errState, path, err)
	}
	return s, nil
}

// readDocument returns the map that the file holds.
func readDocument(path string) (*yaml.Node, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxStateSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxStateSize {
		return nil, errors.New("it is too large")
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, errors.New("it is not YAML")
	}
	if len(document.Content) != 1 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("it holds no map")
	}
	return document.Content[0], nil
}

var hexID, hexSalt = regexp.MustCompile(idPattern), regexp.MustCompile("^[0-9a-f]{64}$")

func parseState(metrics *yaml.Node) (state, error) {
	s := state{present: true}
	if metrics == nil || metrics.Kind != yaml.MappingNode {
		return s, errors.New("it has no map metrics")
	}
	enabled := child(metrics, "enabled")
	if enabled == nil || enabled.Kind != yaml.ScalarNode || enabled.Tag != "!!bool" {
		return s, errors.New("metrics.enabled is neither true nor false")
	}
	s.enabled = enabled.Value == "true" || enabled.Value == "True" || enabled.Value == "TRUE"
	if s.id = scalar(metrics, "rasa_user_id"); s.id != "" && !hexID.MatchString(s.id) {
		return s, errors.New("metrics.rasa_user_id is no identifier")
	}
	if s.salt = scalar(metrics, "salt"); s.salt != "" && !hexSalt.MatchString(s.salt) {
		return s, errors.New("metrics.salt is none")
	}
	if notice := scalar(metrics, "notice"); notice != "" {
		n, err := strconv.Atoi(notice)
		if err != nil {
			return s, errors.New("metrics.notice is no number")
		}
		s.notice = n
	}
	return s, nil
}

// child returns the value of a key, or nil.
func child(m *yaml.Node, key string) *yaml.Node {
	if m == nil || m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
}

// scalar returns the text of a key; "" when it is absent, null, or no scalar.
func scalar(m *yaml.Node, key string) string {
	if n := child(m, key); n != nil && n.Kind == yaml.ScalarNode && n.Tag != "!!null" {
		return n.Value
	}
	return ""
}

// changeState lets change edit the state and writes it, so that a crash leaves
// the old file or the new one. It refuses to replace a file that it can't read.
func changeState(path string, change func(*state)) (state, error) {
	if path == "" {
		return state{}, errors.New("there is no configuration folder: HOME is not set")
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return state{}, err
	}
	unlock, err := lock(path+".lock", lockTime)
	if err != nil {
		return state{}, err
	}
	defer unlock()
	s, err := readState(path)
	if err != nil {
		return s, err
	}
	change(&s)
	document, err := readDocument(path)
	if errors.Is(err, fs.ErrNotExist) {
		document, err = &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if err != nil {
		return s, err
	}
	s.write(document)
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(document), encoder.Close()); err != nil {
		return s, err
	}
	s.present = true
	return s, replaceFile(path, text.Bytes(), true)
}

// write puts the state into a document.
func (s state) write(document *yaml.Node) {
	metrics := child(document, "metrics")
	if metrics == nil {
		metrics = &yaml.Node{Kind: yaml.MappingNode}
		document.Content = append(document.Content, text("metrics"), metrics)
	}
	set(metrics, "enabled", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: strconv.FormatBool(s.enabled)})
	set(metrics, "rasa_user_id", optional(s.id))
	set(metrics, "salt", optional(s.salt))
	set(metrics, "notice", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: strconv.Itoa(s.notice)})
	if !s.date.IsZero() {
		set(metrics, "date", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!timestamp", Value: momentOf(s.date).text})
	}
}

func text(s string) *yaml.Node { return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s} }

func optional(s string) *yaml.Node {
	if s == "" {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	}
	return text(s)
}

func set(m *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			m.Content[i+1] = value
			return
		}
	}
	m.Content = append(m.Content, text(key), value)
}

// identify gives the state an identifier and a salt if it has none.
func (s *state) identify() {
	if s.id == "" {
		s.id = NewID().text
	}
	if s.salt == "" {
		var b [32]byte
		_, _ = rand.Read(b[:]) // never fails, says crypto/rand
		s.salt = hex.EncodeToString(b[:])
	}
}

// replaceFile writes a file beside its place and renames it. A durable one is the
// old or the new one even if the machine loses power.
func replaceFile(path string, data []byte, durable bool) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	if durable {
		err = f.Sync()
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
