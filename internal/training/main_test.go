package training_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/graph/dircache"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/training"
)

// request asks a new process, which is this test binary again, for a training.
type request struct {
	Dir           string
	Part          training.Part
	Force, DryRun bool
	Finetune      string
	EpochFraction float64
	MaxBytes      int64
	Bump          string // component whose version is another one
}

// reply is what came of it.
type reply struct {
	Ran, Restored, Stale []string
	ModelID              string
	Error                string
}

const requestVariable = "LOQUAT_TEST_TRAINING"

func TestMain(m *testing.M) {
	var r request
	if text := os.Getenv(requestVariable); text != "" {
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		_ = json.NewEncoder(os.Stdout).Encode(r.serve())
		return
	}
	os.Exit(m.Run())
}

func (r request) settings() training.Settings {
	s := training.Settings{
		Dir: r.Dir, Paths: project.Paths{Config: "config.yml", Domain: []string{"domain.yml"}, Data: []string{"data"}},
		Part: r.Part, Out: filepath.Join(r.Dir, "models"), FixedModelName: "m", Augmentation: 50,
		Force: r.Force, Finetune: r.Finetune, EpochFraction: r.EpochFraction,
		Types: app.Catalog(), Logger: slog.New(slog.DiscardHandler),
	}
	if r.MaxBytes > 0 {
		s.Cache = dircache.New(filepath.Join(r.Dir, "cache"), r.MaxBytes)
	}
	if r.Bump != "" {
		s.Types[r.Bump].Version++
	}
	return s
}

func (r request) serve() (out reply) {
	run, err := training.Prepare(r.settings())
	if err != nil {
		return reply{Error: err.Error()}
	}
	if r.DryRun {
		if out.Stale, err = run.Stale(context.Background()); err != nil {
			out.Error = err.Error()
		}
		return out
	}
	trained, err := run.Train(context.Background())
	if err != nil {
		return reply{Error: err.Error()}
	}
	m, err := run.Package(trained)
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Ran: trained.Ran, Restored: trained.Restored, ModelID: m.Metadata.ModelID}
}

// command starts the test binary as a training.
func (r request) command(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), requestVariable+"="+string(text)), environment...)
	cmd.Stderr = os.Stderr
	return cmd
}

// train runs a training in a new process.
func (r request) train(t *testing.T, environment ...string) reply {
	t.Helper()
	data, err := r.command(t, environment...).Output()
	if err != nil {
		t.Fatal(err)
	}
	var out reply
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatalf("%v in %q", err, data)
	}
	return out
}

// files are those of a small project with every kind of node.
func files() map[string]string {
	return map[string]string{
		"config.yml": `recipe: default.v1
assistant_id: test
language: en
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: CountVectorsFeaturizer
- name: DIETClassifier
  epochs: 5
- name: EntitySynonymMapper
policies:
- name: MemoizationPolicy
- name: RulePolicy
`,
		"domain.yml": `version: "3.1"
intents: [greet, bye, book]
entities: [city]
slots:
  city: {type: text, mappings: [{type: from_entity, entity: city}]}
responses:
  utter_hello: [{text: Hello}]
  utter_bye: [{text: Bye}]
  utter_booked: [{text: Booked}]
`,
		"data/nlu.yml": `version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - good morning
    - hi there
- intent: bye
  examples: |
    - bye
    - see you
    - good night
- intent: book
  examples: |
    - a flight to [Berlin](city)
    - fly me to [Rome](city)
    - book a flight to [NYC]{"entity": "city", "value": "New York"}
- regex: zip
  examples: |
    - \d{5}
`,
		"data/stories.yml": `version: "3.1"
stories:
- story: booking
  steps:
  - intent: greet
  - action: utter_hello
  - intent: book
    entities: [{city: Rome}]
  - slot_was_set: [{city: Rome}]
  - action: utter_booked
rules:
- rule: goodbye
  steps:
  - intent: bye
  - action: utter_bye
`,
	}
}

// write puts a project into dir, with texts replaced in one of its files.
func write(t *testing.T, dir string, changed string, replace ...string) {
	t.Helper()
	for name, text := range files() {
		if name == changed {
			text = strings.NewReplacer(replace...).Replace(text)
			if text == files()[name] {
				t.Fatalf("nothing was replaced in %s", name)
			}
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
