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
	"slices"
	"strconv"
	"syscall"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/safefile"
)

// state is what is remembered between runs: the choice, and the identity of this
// installation. It is the key metrics of loquat/global.yml in the user's configuration
// folder, whose other keys are left alone.
type state struct {
	Enabled *bool  `yaml:"enabled"`      // the choice; nil while there is no file
	ID      string `yaml:"rasa_user_id"` // 32 hex digits; "" until first needed, and after disable
	Salt    string `yaml:"salt"`         // 64 hex digits; never sent, never printed
	Notice  int    `yaml:"notice"`       // SchemaSet of the notice that was shown; 0 for none
	Date    string `yaml:"date"`         // when the choice changed
}

// identity returns the identifier, or nil if there is none.
func (s state) identity() *ID {
	if s.ID == "" {
		return nil
	}
	return &ID{matched{s.ID}}
}

// choose sets the choice, and the date if it is another.
func (s *state) choose(enabled bool, now time.Time) {
	if s.Enabled == nil || *s.Enabled != enabled {
		s.Enabled, s.Date = &enabled, momentOf(now).text
	}
}

// begin makes a choice, unless there is one, and an identity, unless there is one or
// telemetry was switched off meanwhile, which only the environment overrides.
func (s *state) begin(now time.Time, forced bool) {
	if s.Enabled == nil {
		s.choose(true, now)
	}
	if *s.Enabled || forced {
		s.ID = cmp.Or(s.ID, NewID().text)
		s.Salt = cmp.Or(s.Salt, NewID().text+NewID().text)
	}
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
		st.choose(false, time.Now())
		st.ID, st.Salt = "", ""
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
		return f.record(occurrence{TelemetryDisabled{}, time.Now()}, before, newContext(before, os.DirFS("/")), recorded)
	})
	return nil
}

// Enable stores the choice and makes an identity, unless there is one. The caller shows
// where reports go, which counts as the notice.
func Enable(s Settings) error {
	_, err := changeState(s.StatePath(), func(st *state) {
		st.choose(true, time.Now())
		st.begin(time.Now(), false)
		st.Notice = SchemaSet
	})
	if err != nil {
		return fmt.Errorf("the choice can't be stored: %w", err)
	}
	return nil
}

var hexID, hexSalt = regexp.MustCompile("^(" + idPattern + ")?$"), regexp.MustCompile("^(" + hashPattern + ")?$")

// readState reads the file at path, and the document that it holds. A missing file is
// no error. If there is one that can't be understood, nobody can know which choice it
// held: that counts as off.
func readState(path string) (s state, document *yaml.Node, err error) {
	document, err = readDocument(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // a file in the way of the folder
		return state{}, &yaml.Node{Kind: yaml.MappingNode}, nil
	}
	if err == nil {
		file := struct{ Metrics *state }{&s}
		switch {
		case document.Decode(&file) != nil || file.Metrics == nil || s.Enabled == nil:
			err = errors.New("its metrics are not understood, or metrics.enabled is neither true nor false")
		case !hexID.MatchString(s.ID) || !hexSalt.MatchString(s.Salt):
			err = errors.New("metrics.rasa_user_id is no identifier, or metrics.salt is none")
		}
	}
	if err != nil {
		return state{}, nil, fmt.Errorf("the state file can't be read: %s: %w", path, err)
	}
	return s, document, nil
}

// readDocument returns what the file holds. What is no regular file, such as a pipe, is
// not opened: reading it might take for ever. A link to nothing is no missing file: the
// choice may be where it pointed to.
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
	if yaml.Load(data, &document) != nil || len(document.Content) != 1 {
		return nil, errors.New("it is not YAML of one document")
	}
	return document.Content[0], nil
}

// section returns the map of the key metrics, which it makes if there is none.
func section(document *yaml.Node) *yaml.Node {
	for i := 0; i+1 < len(document.Content); i += 2 {
		if document.Content[i].Value == "metrics" {
			return cmp.Or(document.Content[i+1].Alias, document.Content[i+1])
		}
	}
	metrics := &yaml.Node{Kind: yaml.MappingNode}
	document.Content = append(document.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "metrics"}, metrics)
	return metrics
}

// set makes the map of YAML hold a value, or for "" not even the key. Everything else in
// it stays as it is, comments too.
func set(object *yaml.Node, key, value string) {
	i := 0
	for i < len(object.Content) && object.Content[i].Value != key {
		i += 2
	}
	switch found := i < len(object.Content); {
	case found && value == "":
		object.Content = slices.Delete(object.Content, i, i+2)
	case found && object.Content[i+1].Value != value:
		old := object.Content[i+1]
		old.Kind, old.Tag, old.Style, old.Value, old.Alias = yaml.ScalarNode, "", 0, value, nil
	case !found && value != "":
		object.Content = append(object.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &yaml.Node{Kind: yaml.ScalarNode, Value: value})
	}
}

// changeState lets change edit the state and writes it, so that a crash leaves
// the old file or the new one. It refuses to replace a file that it can't read.
func changeState(path string, change func(*state)) (state, error) {
	if path == "" {
		return state{}, errors.New("there is no configuration folder: HOME is not set")
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return state{}, err
	}
	unlock, err := safefile.Lock(path+".lock", lockTime)
	if err != nil {
		return state{}, err
	}
	defer unlock()
	safefile.Sweep(dir)
	s, document, err := readState(path)
	if err != nil {
		return s, err
	}
	change(&s)
	metrics := section(document)
	set(metrics, "enabled", strconv.FormatBool(*s.Enabled))
	set(metrics, "rasa_user_id", s.ID)
	set(metrics, "salt", s.Salt)
	set(metrics, "notice", strconv.Itoa(s.Notice))
	set(metrics, "date", s.Date)
	var text bytes.Buffer
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(document), encoder.Close()); err != nil {
		return s, err
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target // of a link, which stays one
	}
	return s, safefile.Replace(path, text.Bytes(), 0o600, true)
}
