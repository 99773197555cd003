package telemetry

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/safefile"
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

const (
	maxStateSize = 64 << 10        // bytes
	lockTime     = 3 * time.Second // how long a change of files waits for another process
)

// Disable stores the choice, forgets the identity and empties the spool. It makes
// no request; when it returns, no process starts one.
func Disable(s Settings) error {
	before := Decide(s)
	_, err := changeState(s.StatePath(), func(st *state) {
		if st.enabled || !st.present {
			st.date = time.Now()
		}
		st.enabled, st.id, st.salt = false, "", ""
	})
	if err != nil {
		return fmt.Errorf("the choice can't be stored: %w; set RASA_TELEMETRY_ENABLED=false instead", err)
	}
	f := s.files()
	if err := f.clear(); err != nil {
		return fmt.Errorf("telemetry is off, but waiting reports can't be removed: %w", err)
	}
	if before.Mode == Off {
		return nil
	}
	before.state = state{}
	// The log is for the reader's convenience; without it telemetry is off as well.
	_ = f.whileWriting(func() error {
		return f.record(occurrence{TelemetryDisabled{}, time.Now()}, before, newContext(before, os.DirFS("/")), false, 0)
	})
	return nil
}

// Enable stores the choice and makes a new identity. What an earlier identity has
// left is not sent. The caller shows where reports go, which counts as the notice.
func Enable(s Settings) error {
	_, err := changeState(s.StatePath(), func(st *state) {
		if !st.enabled {
			st.date = time.Now()
		}
		st.enabled, st.present, st.notice = true, true, SchemaSet
		st.begin(time.Now(), false)
	})
	if err != nil {
		return fmt.Errorf("the choice can't be stored: %w", err)
	}
	return s.files().clear()
}

// readState reads the file at path, and the document that it holds. A missing file is
// no error. If there is one that can't be understood, nobody can know which choice it
// held: that counts as off.
func readState(path string) (state, *yaml.Node, error) {
	document, err := readDocument(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // a file in the way of the folder
		return state{}, &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	s := state{present: true}
	if err == nil {
		err = s.understand(child(document, "metrics"))
	}
	if err != nil {
		return state{}, nil, fmt.Errorf("the state file can't be read: %s: %w", path, err)
	}
	return s, document, nil
}

// readDocument returns the map that the file holds. What is no regular file, such as
// a pipe, is not opened: reading it might take for ever. A link to nothing is no missing
// file: the choice may be where it pointed to.
func readDocument(path string) (*yaml.Node, error) {
	if _, err := os.Lstat(path); err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, errors.New("it is a link to what can't be found")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is no regular file")
	case info.Size() > maxStateSize:
		return nil, errors.New("it is too large")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
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

var hexID, hexSalt = regexp.MustCompile("^(" + idPattern + ")?$"), regexp.MustCompile("^(" + hashPattern + ")?$")

func (s *state) understand(node *yaml.Node) error {
	var metrics struct {
		Enabled any    `yaml:"enabled"`
		ID      string `yaml:"rasa_user_id"`
		Salt    string `yaml:"salt"`
		Notice  int    `yaml:"notice"`
	}
	if node == nil || node.Decode(&metrics) != nil {
		return errors.New("its metrics are not understood")
	}
	s.id, s.salt, s.notice = metrics.ID, metrics.Salt, metrics.Notice
	if !hexID.MatchString(s.id) || !hexSalt.MatchString(s.salt) {
		return errors.New("metrics.rasa_user_id is no identifier, or metrics.salt is none")
	}
	var known bool
	if s.enabled, known = metrics.Enabled.(bool); !known {
		return errors.New("metrics.enabled is neither true nor false")
	}
	return nil
}

// child returns the value of a key, or nil.
func child(m *yaml.Node, key string) *yaml.Node {
	for i := 0; m != nil && m.Kind == yaml.MappingNode && i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	return nil
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
	unlock, err := safefile.Lock(path+".lock", lockTime)
	if err != nil {
		return state{}, err
	}
	defer unlock()
	s, document, err := readState(path)
	if err != nil {
		return s, err
	}
	change(&s)
	s.present = true
	s.write(document)
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(document), encoder.Close()); err != nil {
		return s, err
	}
	return s, safefile.Replace(path, text.Bytes(), 0o600, true)
}

// write puts the state into a document, beside what else is there.
func (s state) write(document *yaml.Node) {
	metrics := child(document, "metrics")
	if metrics == nil {
		metrics = &yaml.Node{Kind: yaml.MappingNode}
		document.Content = append(document.Content, scalar("!!str", "metrics"), metrics)
	}
	set := func(key, tag, value string) {
		if value == "" {
			tag, value = "!!null", "null"
		}
		if node := child(metrics, key); node != nil {
			*node = *scalar(tag, value)
			return
		}
		metrics.Content = append(metrics.Content, scalar("!!str", key), scalar(tag, value))
	}
	set("enabled", "!!bool", strconv.FormatBool(s.enabled))
	set("rasa_user_id", "!!str", s.id)
	set("salt", "!!str", s.salt)
	set("notice", "!!int", strconv.Itoa(s.notice))
	if !s.date.IsZero() {
		set("date", "!!timestamp", momentOf(s.date).text)
	}
}

func scalar(tag, value string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: value}
}

// begin makes a choice, unless there is one, and an identity, unless there is one or
// telemetry was switched off meanwhile, which only the environment overrides.
func (s *state) begin(now time.Time, forced bool) {
	if s.present && !s.enabled && !forced {
		return
	}
	if !s.present {
		s.enabled, s.date = true, now
	}
	s.id = cmp.Or(s.id, NewID().text)
	s.salt = cmp.Or(s.salt, NewID().text+NewID().text)
}
