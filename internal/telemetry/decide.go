package telemetry

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Mode says what happens to an event.
type Mode string

const (
	Off   Mode = "off"   // nothing is recorded
	Local Mode = "local" // recorded on this machine, never sent
	On    Mode = "on"    // recorded, and sent to the operator's collector
)

// Reason names the setting that decided. They are asked in this order, and the first
// that applies decides.
type Reason string

const (
	DoNotTrack      Reason = "DO_NOT_TRACK"
	Environment     Reason = "RASA_TELEMETRY_ENABLED"
	ProjectSwitch   Reason = "project"
	StateUnreadable Reason = "state-unreadable"
	StateUnwritable Reason = "state-unwritable"
	StoredChoice    Reason = "stored-choice"
	RasaChoice      Reason = "rasa-choice" // Rasa's own stored opt-out
	CI              Reason = "ci"
	Default         Reason = "default"
)

// Settings say where telemetry looks.
type Settings struct {
	LookupEnv    func(string) (string, bool) // os.LookupEnv
	ConfigDir    string                      // os.UserConfigDir; "" if there is none
	CacheDir     string                      // os.UserCacheDir; "" if there is none
	Home         string                      // where Rasa keeps .config/rasa/global.yml
	ProjectFiles []string                    // endpoints.yml and config.yml
	GitRemote    func() string               // URL of the project's git remote, or ""
}

// SystemSettings are those of this machine and user.
func SystemSettings(gitRemote func() string, projectFiles ...string) Settings {
	s := Settings{LookupEnv: os.LookupEnv, ProjectFiles: projectFiles, GitRemote: gitRemote}
	s.ConfigDir, _ = os.UserConfigDir() // an error leaves "", which counts as unwritable
	s.CacheDir, _ = os.UserCacheDir()
	s.Home, _ = os.UserHomeDir()
	return s
}

// StatePath is where the choice is stored.
func (s Settings) StatePath() string {
	if s.ConfigDir == "" {
		return ""
	}
	return filepath.Join(s.ConfigDir, "loquat", "global.yml")
}

func (s Settings) env(name string) string {
	value, _ := s.LookupEnv(name)
	return value
}

// Decision is what holds for this process.
type Decision struct {
	Mode      Mode
	Reason    Reason
	Detail    string // in words
	Warning   string // what the operator should correct; "" for nothing
	Waiting   string // why an enabled report stays local: "no-collector", "endpoint", "notice", "ci"; else ""
	FirstRun  bool   // the notice is due
	Collector *url.URL
	writeKey  string
	state     state
	project   projectSection
	settings  Settings // that were asked
}

// Decide asks the switches in order. It reads the state file unless an earlier
// switch has decided, and writes nothing.
func Decide(s Settings) Decision {
	d := Decision{settings: s}
	if v := s.env("DO_NOT_TRACK"); v != "" && v != "0" && !strings.EqualFold(v, "false") {
		return d.off(DoNotTrack, "DO_NOT_TRACK is set")
	}
	enabled, isSet := s.LookupEnv("RASA_TELEMETRY_ENABLED")
	forced := strings.EqualFold(enabled, "true")
	if isSet && !forced {
		return d.off(Environment, "RASA_TELEMETRY_ENABLED is set and not true")
	}
	if d.project = readProject(s.ProjectFiles); d.project.off != "" {
		d.Warning = d.project.warning
		return d.off(ProjectSwitch, d.project.off)
	}
	stored, _, err := readState(s.StatePath())
	if err != nil {
		d.Warning = err.Error() + "; remove the file to choose anew"
		return d.off(StateUnreadable, d.Warning)
	}
	ci := inCI(s.LookupEnv)
	switch {
	case !forced && stored.Enabled != nil && !*stored.Enabled:
		return d.off(StoredChoice, "it was switched off with: loquat telemetry disable")
	case !forced && stored.Enabled == nil && rasaOptedOut(s.Home):
		return d.off(RasaChoice, "it was switched off for Rasa, in ~/.config/rasa/global.yml")
	case stored.Enabled == nil && (forced || !ci) && !canWrite(s.StatePath()):
		return d.off(StateUnwritable, "the state file can't be written, so that a choice could not be remembered")
	}
	d.Mode, d.state = Local, stored
	switch {
	case forced:
		d.Reason, d.Detail = Environment, "RASA_TELEMETRY_ENABLED is true"
	case ci:
		d.Reason, d.Detail, d.Waiting = CI, "this is a CI system", "ci"
		return d
	default:
		d.Reason, d.Detail = Default, "nothing switches it off"
	}
	d.chooseCollector(s, forced)
	return d
}

func (d Decision) off(r Reason, detail string) Decision {
	d.Mode, d.Reason, d.Detail = Off, r, detail
	return d
}

// chooseCollector makes an enabled decision On if the operator has named a
// collector and people know about it since an earlier run.
func (d *Decision) chooseCollector(s Settings, forced bool) {
	d.FirstRun = d.state.Notice < SchemaSet
	endpoint, key := s.env("LOQUAT_TELEMETRY_ENDPOINT"), s.env("RASA_TELEMETRY_WRITE_KEY")
	collector, err := parseEndpoint(endpoint)
	switch {
	case endpoint == "" || key == "":
		d.Waiting = "no-collector"
		return
	case err != nil:
		d.Waiting, d.Detail, d.Warning = "endpoint", d.Detail+"; "+err.Error(), err.Error()
		return
	}
	d.Collector, d.writeKey = collector, key
	if d.FirstRun && !forced {
		d.Waiting = "notice"
	} else {
		d.Mode = On
	}
}

// parseEndpoint accepts https, and http on this machine.
func parseEndpoint(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("LOQUAT_TELEMETRY_ENDPOINT is no address such as https://telemetry.example.com")
	}
	here := u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback()
	if u.Scheme != "https" && !(u.Scheme == "http" && here) {
		return nil, errors.New("LOQUAT_TELEMETRY_ENDPOINT is refused: reports only travel encrypted, write https://")
	}
	return u, nil
}

// ciVariables are set on CI systems: those that Rasa knows, GitLab and Azure.
var ciVariables = strings.Fields(`
bamboo.buildKey BUILD_ID BUILD_NUMBER BUILDKITE CI CIRCLECI CONTINUOUS_INTEGRATION GITHUB_ACTIONS HUDSON_URL JENKINS_URL
TEAMCITY_VERSION TRAVIS CODEBUILD_BUILD_ARN CODEBUILD_BUILD_ID CODEBUILD_BATCH_BUILD_IDENTIFIER GITLAB_CI TF_BUILD`)

func inCI(lookup func(string) (string, bool)) bool {
	return slices.ContainsFunc(ciVariables, func(name string) bool { _, ok := lookup(name); return ok })
}

// canWrite reports whether a file could be created. It tries in the nearest
// folder that exists and leaves nothing behind.
func canWrite(path string) bool {
	for dir := path; path != "" && dir != filepath.Dir(dir); {
		dir = filepath.Dir(dir)
		if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		f, err := os.CreateTemp(dir, ".loquat.*")
		return err == nil && errors.Join(f.Close(), os.Remove(f.Name())) == nil
	}
	return false
}

// rasaOptedOut reports whether Rasa's own state says that telemetry is off.
// Nothing else of that file counts.
func rasaOptedOut(home string) bool {
	document, err := readDocument(filepath.Join(home, ".config", "rasa", "global.yml"))
	var file struct{ Metrics struct{ Enabled any } }
	return home != "" && err == nil && document.Decode(&file) == nil && strings.EqualFold(fmt.Sprint(file.Metrics.Enabled), "false")
}

// projectSection is the key telemetry of a project's files.
type projectSection struct {
	off                 string // why it is off; "" if it is not
	warning             string
	company, licenseKey string
}

var projectKeys = []string{"enabled", "company", "license_key"}

// readProject reads the key telemetry of files that may be missing. Whatever is
// not clearly enabled is off, and so is what can't be read twice: a pipe belongs to
// the command.
func readProject(files []string) (p projectSection) {
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil || info.IsDir() {
			continue
		}
		if !info.Mode().IsRegular() {
			p.off = path + " is no regular file, so that it is not searched for telemetry.enabled"
			return p
		}
		data, err := os.ReadFile(path)
		if err != nil || utf8.Valid(data) && !bytes.Contains(data, []byte("telemetry")) {
			continue // most files, without the cost of parsing
		}
		var problems diag.List
		root := yamlfile.Parse(data, path, &problems)
		if problems.HasErrors() {
			p.off = path + " may say telemetry.enabled, and can't be understood"
			return p
		}
		if !root.Has("telemetry") {
			continue
		}
		section := root.Get("telemetry")
		for _, key := range section.Keys() {
			if !slices.Contains(projectKeys, key) { // maybe a misspelt "enabled: false"
				p.warning = fmt.Sprintf("telemetry in %s has the unknown key %q; known: %s", path, key, strings.Join(projectKeys, ", "))
				p.off = p.warning
				return p
			}
		}
		enabled := section.Get("enabled")
		if section.Kind != yamlfile.Map || section.Has("enabled") && !(enabled.Kind == yamlfile.Bool && enabled.Flag) {
			p.off = "telemetry.enabled is not true in " + path
			return p
		}
		p.company, p.licenseKey = section.Get("company").TextOrEmpty(), section.Get("license_key").TextOrEmpty()
	}
	return p
}

// organisation is what an operator has said about the organisation, on purpose.
func (s Settings) organisation(p projectSection) (company *Organisation, license *Hash) {
	if name := []rune(cmp.Or(s.env("LOQUAT_TELEMETRY_COMPANY"), p.company)); len(name) > 0 {
		company = &Organisation{matched{string(name[:min(len(name), maxOrganisation)])}}
	}
	if key := cmp.Or(s.env("LOQUAT_TELEMETRY_LICENSE_KEY"), p.licenseKey); key != "" {
		license = hashOf(key)
	}
	return company, license
}

// String describes the decision in a sentence.
func (d Decision) String() string {
	switch {
	case d.Mode == On:
		return fmt.Sprintf("on: reports go to %s; %s", d.Collector.Host, d.Detail)
	case d.Mode == Local && d.Waiting == "notice":
		return fmt.Sprintf("local: reports stay on this machine until a later run; then they go to %s; %s", d.Collector.Host, d.Detail)
	case d.Mode == Local:
		return "local: reports are written on this machine and not sent; " + d.Detail
	}
	return "off: nothing is recorded or sent; " + d.Detail
}

// Status is the answer of "telemetry status --json".
type Status struct {
	Mode      Mode   `json:"mode"`
	Reason    Reason `json:"reason"`
	Detail    string `json:"detail"`
	Waiting   string `json:"why_local,omitempty"`
	ID        string `json:"id"`
	Endpoint  string `json:"endpoint"` // host
	SchemaSet int    `json:"schema_set"`
	State     string `json:"state_file"`
	Spool     struct {
		Events int   `json:"events"`
		Bytes  int64 `json:"bytes"`
	} `json:"spool"`
	Dropped  int64  `json:"dropped"` // events that came too fast to be recorded
	LastSent string `json:"last_sent"`
}

// Status looks at the switches and the folder of reports.
func (d Decision) Status() Status {
	f := d.settings.files()
	memory := f.readSending()
	out := Status{
		Mode: d.Mode, Reason: d.Reason, Detail: d.Detail, Waiting: d.Waiting, ID: d.state.ID,
		SchemaSet: SchemaSet, State: d.settings.StatePath(), Dropped: memory.Dropped,
	}
	if d.Collector != nil {
		out.Endpoint = d.Collector.Host
	}
	for _, k := range f.list(pending) {
		out.Spool.Events++
		out.Spool.Bytes += k.size
	}
	if !memory.LastSent.IsZero() {
		out.LastSent = momentOf(memory.LastSent).text
	}
	return out
}
