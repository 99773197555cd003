package endtoend

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/telemetry"
)

// TestEverySwitchInOrder: each switch decides over those below it, and says so.
func TestEverySwitchInOrder(t *testing.T) {
	i := install(t).seen()
	expect := func(i *installation, mode telemetry.Mode, reason telemetry.Reason) {
		t.Helper()
		c := newCollector(t, nil) // of its own: a request may be noticed late
		i = i.with(c.env())
		if s := i.status(); s.Mode != mode || s.Reason != reason {
			t.Errorf("%v: %s by %s, want %s by %s", i.env, s.Mode, s.Reason, mode, reason)
		}
		i.loquat("data", "validate")
		if mode != telemetry.On && c.count() != 0 {
			t.Errorf("%v: a request was made", i.env)
		}
	}
	expect(i, telemetry.On, telemetry.Default)
	expect(i.with(map[string]string{"GITLAB_CI": "true"}), telemetry.Local, telemetry.CI)
	i.ok("telemetry", "disable")
	ci := i.with(map[string]string{"GITLAB_CI": "true"})
	expect(ci, telemetry.Off, telemetry.StoredChoice)
	forced := ci.with(map[string]string{"RASA_TELEMETRY_ENABLED": "true"})
	expect(forced, telemetry.On, telemetry.Environment)
	state := filepath.Join(i.home, ".config", "loquat", "global.yml")
	if err := os.WriteFile(state, []byte("metrics: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	expect(forced, telemetry.Off, telemetry.StateUnreadable)
	i.write("endpoints.yml", "telemetry:\n  enabled: false\n")
	expect(forced, telemetry.Off, telemetry.ProjectSwitch)
	for _, value := range []string{"false", "False", "0", "1", "yes", ""} {
		expect(forced.with(map[string]string{"RASA_TELEMETRY_ENABLED": value}), telemetry.Off, telemetry.Environment)
	}
	expect(forced.with(map[string]string{"DO_NOT_TRACK": "1"}), telemetry.Off, telemetry.DoNotTrack)

	fresh := install(t)
	if err := errors.Join(os.MkdirAll(filepath.Join(fresh.home, ".config", "rasa"), 0o755),
		os.WriteFile(filepath.Join(fresh.home, ".config", "rasa", "global.yml"), []byte("metrics: {enabled: false}\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	expect(fresh, telemetry.Off, telemetry.RasaChoice)
	blocked := install(t)
	blocked.home = filepath.Join(blocked.dir, "config.yml") // a file where the home should be
	expect(blocked.with(map[string]string{"RASA_TELEMETRY_ENABLED": "true"}), telemetry.Off, telemetry.StateUnwritable)
}

// sampleProject has the counts of the documented sample payload.
func sampleProject(i *installation) {
	var domain, nlu, stories strings.Builder
	domain.WriteString("version: \"3.1\"\nintents: [a, b, c]\nslots:\n")
	for n := range 47 {
		mappings := "[{type: custom}]"
		if n >= 45 {
			mappings = "[]"
		}
		fmt.Fprintf(&domain, "  slot_%d: {type: text, mappings: %s}\n", n, mappings)
	}
	domain.WriteString("responses:\n")
	for n := range 113 {
		condition := ""
		if n < 3 {
			condition = ", condition: [{type: slot, name: slot_0, value: x}]"
		}
		fmt.Fprintf(&domain, "  utter_%d: [{text: x%s}]\n", n, condition)
	}
	domain.WriteString("actions:\n")
	for n := range 45 {
		fmt.Fprintf(&domain, "- action_%d\n", n)
	}
	nlu.WriteString("version: \"3.1\"\nnlu:\n")
	for intent, examples := range map[string]int{"a": 5, "b": 5, "c": 4} {
		fmt.Fprintf(&nlu, "- intent: %s\n  examples: |\n", intent)
		for n := range examples {
			fmt.Fprintf(&nlu, "    - %s %d\n", intent, n)
		}
	}
	stories.WriteString("version: \"3.1\"\nstories:\n")
	for n := range 6 {
		fmt.Fprintf(&stories, "- story: s%d\n  steps:\n  - intent: a\n  - action: utter_%d\n", n, n)
	}
	if err := os.RemoveAll(filepath.Join(i.dir, "data")); err != nil {
		i.t.Fatal(err)
	}
	i.write("domain.yml", domain.String())
	i.write("data/nlu.yml", nlu.String())
	i.write("data/stories.yml", stories.String())
	i.write("config.yml", `recipe: default.v1
language: en
pipeline:
- name: KeywordIntentClassifier
- name: NLUCommandAdapter
- name: SingleStepLLMCommandGenerator
  prompt: prompts/own.jinja2
  llm: {model_name: gpt-4-0613, request_timeout: 7, api_base: https://secret.example.com}
policies:
- name: rasa.core.policies.flow_policy.FlowPolicy
- name: rasa.core.policies.intentless_policy.IntentlessPolicy
  prompt: x
`)
}

// TestTheSamplePayload compares with the documented sample: the same keys and JSON
// types, and for a project of its shape the same values, as far as they do not
// count flows, which are not built.
func TestTheSamplePayload(t *testing.T) {
	data, err := os.ReadFile("testdata/telemetry/training_started.json")
	if err != nil {
		t.Fatal(err)
	}
	sample, err := telemetry.Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	i := install(t).seen()
	sampleProject(i)
	got, err := telemetry.Decode([]byte(i.ok("telemetry", "preview", "Training Started")))
	if err != nil {
		t.Fatal(err)
	}
	want := sample["properties"].(map[string]any)
	ours := got["properties"].(map[string]any)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(ours))); diff != "" {
		t.Errorf("keys (-sample +ours):\n%s", diff)
	}
	for key, value := range want {
		flows := strings.Contains(key, "flow") || strings.Contains(key, "llm") || strings.HasSuffix(key, "_steps") && key != "num_story_steps" ||
			strings.HasPrefix(key, "num_collect_steps") || strings.HasPrefix(key, "num_set_slot") || key == "max_depth_of_if_construct"
		switch {
		case key == "training_id" || key == "metrics_id":
		case flows && ours[key] != nil && ours[key] != 0.0:
			t.Errorf("%s is %v", key, ours[key])
		case !flows && !cmp.Equal(value, ours[key]):
			t.Errorf("%s is %v, the sample has %v", key, ours[key], value)
		}
		if a, b := fmt.Sprintf("%T", value), fmt.Sprintf("%T", ours[key]); ours[key] != nil && a != b {
			t.Errorf("%s is a %s, the sample has a %s", key, b, a)
		}
	}
	context := got["context"].(map[string]any)
	for key, value := range sample["context"].(map[string]any) {
		if ours, ok := context[key]; !ok || ours != nil && fmt.Sprintf("%T", ours) != fmt.Sprintf("%T", value) {
			t.Errorf("context.%s is %v", key, ours)
		}
		delete(context, key)
	}
	if diff := cmp.Diff([]string{"cloud", "gpu", "loquat", "schema"}, slices.Sorted(maps.Keys(context))); diff != "" {
		t.Errorf("more keys in the context:\n%s", diff)
	}
}

// TestEachCommandRecordsItsEvent runs each command that has one.
func TestEachCommandRecordsItsEvent(t *testing.T) {
	i := install(t).seen()
	i.write("broken/config.yml", "recipe: default.v1\npipeline:\n- name: NoSuchThing\n")
	i.write("credentials.yml", "rest:\n")
	i.write("other.yml", readFile(t, filepath.Join(i.dir, "config.yml")))
	i.write("examples.yml", "version: \"3.1\"\nnlu:\n- intent: greet\n  examples: |\n    - hello you\n    - hello me\n    - hello there\n    - hello all\n    - hello again\n    - hello world\n")
	i.write("markers.yml", markersFile)
	i.write("data/stories.yml", "version: \"3.1\"\nstories:\n- story: hello\n  steps:\n  - intent: greet\n  - action: utter_greet\n")
	seen := map[string]int{}
	step := func(want map[string]int, args ...string) {
		t.Helper()
		o := i.loquatOn("hello\n/stop\n", args...)
		now := names(i.recorded())
		got := map[string]int{}
		for name, n := range now {
			if n -= seen[name]; n > 0 {
				got[name] = n
			}
		}
		seen = now
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("loquat %s (-want +got):\n%s%s", strings.Join(args, " "), diff, o.stderr)
		}
	}
	step(map[string]int{"Training Data Validated": 1}, "data", "validate")
	step(map[string]int{"Training Data Validated": 1}, "data", "validate", "stories")
	trained := map[string]int{"Training Data Validated": 1, "Training Started": 1, "Training Completed": 1}
	step(trained, "train")
	step(trained, "train") // everything is cached
	step(map[string]int{"Training Started": 1, "Training Completed": 1}, "train", "--skip-validation")
	step(map[string]int{"Training Data Validated": 1}, "train", "--dry-run")
	step(map[string]int{"Training Started": 1, "Training Completed": 1}, "train", "nlu", "--out", "nlu-models")
	step(map[string]int{"Training Started": 1, "Training Completed": 1}, "train", "core", "--out", "core-models")
	step(map[string]int{"Training Data Split": 1}, "data", "split", "nlu")
	step(map[string]int{"Training Data Converted": 1}, "data", "convert", "nlu", "--out", "converted.yml")
	step(map[string]int{"Model NLU Tested": 1}, "test", "nlu", "--no-plot")
	step(map[string]int{"Training Started": 2, "Training Completed": 2}, "test", "nlu", "--no-plot", "--nlu", "examples.yml", "--cross-validation", "--folds", "2")
	step(map[string]int{"Training Started": 4, "Training Completed": 4, "Model NLU Tested": 4},
		"test", "nlu", "--no-plot", "--nlu", "examples.yml", "--config", "config.yml", "other.yml", "--runs", "1", "--percentages", "0", "25", "--out", "compared")
	step(map[string]int{"Model Core Tested": 1}, "test", "core", "--no-plot")
	if got := properties(i.recorded(), "Model Core Tested"); got["end_to_end"] != false || got["num_story_steps"] == 0.0 || got["project"] == nil {
		t.Errorf("%v", got)
	}
	step(map[string]int{"Model Core Tested": 1, "Model NLU Tested": 1}, "test", "--no-plot")
	if got := properties(i.recorded(), "Model Core Tested"); got["end_to_end"] != true || got["num_story_steps"] != 0.0 {
		t.Errorf("%v", got)
	}
	step(map[string]int{"Story Visualization Started": 1}, "visualize")
	i.serveKeeping().stop()
	step(map[string]int{"Server Started": 1}, "version")
	step(map[string]int{"Markers Extraction Initiated": 1, "Markers Parsed": 1, "Markers Extracted": 1, "Markers Statistics Computed": 1},
		"evaluate", "markers", "all", "all.csv")
	step(map[string]int{"Markers Extraction Initiated": 1, "Markers Parsed": 1, "Markers Extracted": 1}, "evaluate", "markers", "sample_n", "--seed", "1", "--no-stats", "3", "some.csv")
	if got := properties(i.recorded(), "Markers Extraction Initiated"); got["strategy"] != "sample_n" || got["only_extract"] != true || got["seed"] != true || got["count"] != 3.0 {
		t.Errorf("%v", got)
	}
	if got := properties(i.recorded(), "Markers Parsed"); got["marker_count"] != 2.0 || got["max_depth"] != 3.0 || got["branching_factor"] != 2.0 {
		t.Errorf("%v", got)
	}
	step(map[string]int{"Interactive Learning Started": 1}, "interactive", "-m", "models", "--skip-visualization")
	if got := properties(i.recorded(), "Interactive Learning Started"); got["skip_visualization"] != true || got["save_in_e2e"] != false {
		t.Errorf("%v", got)
	}
	step(map[string]int{"Training Started": 1, "Training Completed": 1, "Interactive Learning Started": 1}, "interactive", "--skip-visualization")
	step(map[string]int{}, "data", "split", "stories")                     // as in Rasa 3.6
	step(map[string]int{"Shell Started": 1, "Server Started": 1}, "shell") // as Rasa 3.6 does, which serves the shell
	step(map[string]int{"Shell Started": 1}, "shell", "nlu")
	step(map[string]int{"Shell Started": 1, "Error Encountered": 1}, "shell", "--model", "nlu-models") // which says nothing
	step(map[string]int{"Training Data Validated": 1, "Error Encountered": 1}, "train", "--config", "broken/config.yml")
	step(map[string]int{"Error Encountered": 1, "Markers Extraction Initiated": 1}, "evaluate", "markers", "all", "--no-stats", "--config", "none.yml", "none.csv")
	step(map[string]int{"Error Encountered": 1}, "shell", "--model", "nowhere")
	step(map[string]int{"Project Created": 1, "Training Started": 1, "Training Completed": 1}, "init", "--no-prompt", "--init-dir", "made")
	step(map[string]int{}, "version")
	step(map[string]int{}, "components")
	step(map[string]int{}, "telemetry", "preview")
	server := i.serve()
	server.post("/model/test/intents", "nlu: [{intent: greet, examples: \"- hello\\n- hi\\n\"}]")
	server.post("/model/test/stories", "stories: [{story: s, steps: [{intent: greet}, {action: utter_greet}]}]")
	server.post("/model/train?save_to_default_model_directory=false", tinyProject)
	server.stop()
	step(map[string]int{"Server Started": 1, "Model NLU Tested": 1, "Model Core Tested": 1, "Training Started": 1, "Training Completed": 1}, "version")
	step(map[string]int{"Training Data Validated": 1, "Training Started": 1, "Training Failed": 1, "Error Encountered": 1}, "train", "--out", "config.yml/models", "--force")
	step(map[string]int{"Telemetry Disabled": 1}, "telemetry", "disable")

	all := i.recorded()
	if got := properties(all, "Error Encountered"); got["command"] != "train" || got["stage"] != "train" {
		t.Errorf("%v", got)
	}
	if got := properties(all, "Server Started"); !cmp.Equal(got["input_channels"], []any{"rest"}) || got["api_enabled"] != true || got["project"] == nil {
		t.Errorf("%v", got)
	}
	started, failed := properties(all, "Training Started"), properties(all, "Training Failed")
	if started["training_id"] != failed["training_id"] || failed["error_code"] == nil {
		t.Errorf("%v and %v do not belong together", started["training_id"], failed)
	}
	ids := map[any]int{}
	for _, r := range all {
		if r["event"] == "Training Started" || r["event"] == "Training Completed" || r["event"] == "Training Failed" {
			ids[r["properties"].(map[string]any)["training_id"]]++
		}
	}
	for id, n := range ids {
		if n != 2 {
			t.Errorf("training %v has %d events", id, n)
		}
	}
}

// markersFile has two markers, three levels deep, with at most two conditions below one.
const markersFile = "a: {and: [{intent: greet}, {or: [{action: utter_greet}, {intent: greet}]}]}\nb: {intent: greet}\n"

// tinyProject is a project in one document.
const tinyProject = `recipe: default.v1
assistant_id: tiny
language: en
pipeline: [{name: WhitespaceTokenizer}, {name: KeywordIntentClassifier}]
policies: [{name: RulePolicy}]
intents: [hi, bye]
responses: {utter_hi: [{text: "Hi."}]}
nlu: [{intent: hi, examples: "- hi\n- hello\n"}, {intent: bye, examples: "- bye\n- so long\n"}]
rules: [{rule: hi, steps: [{intent: hi}, {action: utter_hi}]}, {rule: bye, steps: [{intent: bye}, {action: utter_hi}]}]
`

// post sends a document to a server, which must take it.
func (b *background) post(path, document string) {
	b.t.Helper()
	response, err := http.Post(b.url+path, "application/x-yaml", strings.NewReader(document))
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("%s: %d %.500s, %v", path, response.StatusCode, answer, err)
	}
}

// TestErrorsHaveACodeFromTheList breaks a project in two ways.
func TestErrorsHaveACodeFromTheList(t *testing.T) {
	i := install(t).seen()
	i.write("config.yml", "recipe: default.v1\npipeline:\n- name: NoSuchThing\n")
	i.loquat("train")
	if got := properties(i.recorded(), "Error Encountered"); got["error_code"] != "unknown-component" || got["stage"] != "load" || got["command"] != "train" {
		t.Errorf("%v", got)
	}
	i.loquat("run", "--model", "nowhere")
	if got := properties(i.recorded(), "Error Encountered"); got["error_code"] != "no-model" && got["error_code"] != "missing-path" || got["stage"] != "serve" {
		t.Errorf("%v", got)
	}
}

// TestWrongFlagsAreErrorsToo: they end a command before it begins.
func TestWrongFlagsAreErrorsToo(t *testing.T) {
	i := install(t).seen()
	for n, args := range [][]string{{"train", "--nonsense"}, {"run", "--port", "99999"}, {"test", "nlu", "--folds", "one"}} {
		if o := i.loquat(args...); o.code != 2 {
			t.Errorf("%v: %+v", args, o)
		}
		all := i.recorded()
		if got := properties(all, "Error Encountered"); len(all) != n+1 || got["error_code"] != "usage" || got["stage"] != "init" {
			t.Errorf("%v: %d events, %v", args, len(all), got)
		}
	}
	for _, args := range [][]string{{"train", "--help"}, {"nonsense"}, {"--version"}, {"telemetry", "--nonsense"}} {
		i.loquat(args...)
		if n := len(i.recorded()); n != 3 {
			t.Errorf("%v: %d events", args, n)
		}
	}
}

// TestTheIdentifierIsRandomAndGoesWithTheChoice follows it from file to report.
func TestTheIdentifierIsRandomAndGoesWithTheChoice(t *testing.T) {
	i := install(t)
	i.ok("data", "validate")
	first := i.status().ID
	i.ok("data", "validate")
	if again := i.status().ID; first == "" || again != first || !regexp.MustCompile("^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$").MatchString(first) {
		t.Fatalf("%v, then %v", first, again)
	}
	for _, r := range i.recorded() {
		if r["userId"] != first || r["properties"].(map[string]any)["metrics_id"] != first {
			t.Errorf("%v", r)
		}
	}
	i.ok("telemetry", "disable")
	if id := i.status().ID; id != "" {
		t.Errorf("after disable there is %v", id)
	}
	if out := i.ok("telemetry"); !strings.Contains(out, "no id exists") || !strings.Contains(out, "stored-choice") {
		t.Errorf("status:\n%s", out)
	}
	i.ok("telemetry", "enable")
	if id := i.status().ID; id == "" || id == first {
		t.Errorf("after enable there is %v", id)
	}
}

// TestLicencesChangeNothing: the organisation is what the operator set on purpose.
func TestLicencesChangeNothing(t *testing.T) {
	i := install(t).seen()
	context := func(i *installation) map[string]any {
		t.Helper()
		report, err := telemetry.Decode([]byte(i.ok("telemetry", "preview", "Shell Started")))
		if err != nil {
			t.Fatal(err)
		}
		return report["context"].(map[string]any)
	}
	plain := context(i)
	if plain["license_hash"] != nil || plain["company"] != nil {
		t.Errorf("%v", plain)
	}
	if diff := cmp.Diff(plain, context(i.with(map[string]string{"RASA_LICENSE": "x", "RASA_PRO_LICENSE": "y"}))); diff != "" {
		t.Error(diff)
	}
	named := context(i.with(map[string]string{"LOQUAT_TELEMETRY_COMPANY": "Example Ltd", "LOQUAT_TELEMETRY_LICENSE_KEY": "abc"}))
	if named["company"] != "Example Ltd" || named["license_hash"] != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("%v", named)
	}
}
