package endtoend

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// marker is in every string that a user of the canary project chose.
const marker = "Zq7Canary"

// canaryFiles carry the marker in whatever a user can name or say.
func canaryFiles() map[string]string {
	return map[string]string{
		".git/config": "[remote \"origin\"]\n\turl = https://Zq7Canary.example.com/Zq7Canary.git\n",
		"config.yml": `recipe: default.v1
assistant_id: Zq7Canary
language: Zq7Canary
Zq7Canary: Zq7Canary
pipeline:
- name: KeywordIntentClassifier
  case_sensitive: false
- name: RegexEntityExtractor
- name: FallbackClassifier
  threshold: 0.1
policies:
- name: RulePolicy
  core_fallback_action_name: action_default_fallback
`,
		"domain.yml": `version: "3.1"
intents: [Zq7Canary_greet, Zq7Canary_other]
entities: [Zq7Canary_entity]
slots:
  Zq7Canary_slot:
    type: categorical
    values: [Zq7Canary_value]
    mappings: [{type: from_entity, entity: Zq7Canary_entity}]
responses:
  utter_Zq7Canary:
  - text: "Zq7Canary says hello"
    condition: [{type: slot, name: Zq7Canary_slot, value: Zq7Canary_value}]
  - text: "Zq7Canary"
    metadata: {rephrase_prompt: Zq7Canary}
actions: [action_Zq7Canary]
forms:
  Zq7Canary_form: {required_slots: [Zq7Canary_slot]}
session_config: {session_expiration_time: 60, carry_over_slots_to_new_session: true}
`,
		"data/nlu.yml": `version: "3.1"
nlu:
- intent: Zq7Canary_greet
  examples: |
    - hello Zq7Canary
    - hello [Zq7Canary](Zq7Canary_entity)
- intent: Zq7Canary_other
  examples: |
    - other Zq7Canary
- synonym: Zq7Canary
  examples: |
    - Zq7Canarys
- regex: Zq7Canary_entity
  examples: |
    - Zq7Canary+
- lookup: Zq7Canary_entity
  examples: |
    - Zq7Canary
`,
		"data/rules.yml": `version: "3.1"
rules:
- rule: Zq7Canary greets
  steps:
  - intent: Zq7Canary_greet
  - action: utter_Zq7Canary
- rule: Zq7Canary other
  steps:
  - intent: Zq7Canary_other
  - action: action_Zq7Canary
`,
		"endpoints.yml": `action_endpoint:
  url: http://127.0.0.1:1/Zq7Canary
  token: Zq7Canary
tracker_store:
  type: SQL
  db: Zq7Canary.db
event_broker:
  type: file
  path: Zq7Canary.log
telemetry:
  enabled: true
`,
		"markers.yml":       "Zq7Canary: {and: [{action: action_Zq7Canary}, {intent: Zq7Canary_greet}]}\n",
		"data/stories.yml":  "version: \"3.1\"\nstories:\n- story: Zq7Canary\n  steps:\n  - intent: Zq7Canary_greet\n  - action: utter_Zq7Canary\n",
		"credentials.yml":   "rest:\nZq7Canary:\n  token: Zq7Canary\n",
		"prompts/own.jinja": "Zq7Canary {{ Zq7Canary }}",
		"broken/config.yml": "recipe: Zq7Canary\nlanguage: Zq7Canary\npipeline:\n- name: Zq7Canary.Component\n  llm: {model: Zq7Canary, provider: Zq7Canary, model_group: Zq7Canary}\npolicies:\n- name: Zq7Canary\n",
	}
}

// hidden are the shapes in which a text might travel.
func hidden(text string) map[string]string {
	shapes := map[string]string{}
	for _, s := range []string{text, strings.ToLower(text), strings.ToUpper(text)} {
		b := []byte(s)
		sum256, sum1, sum5 := sha256.Sum256(b), sha1.Sum(b), md5.Sum(b)
		for name, shape := range map[string]string{
			"plain": s, "hex": hex.EncodeToString(b), "SHA-256": hex.EncodeToString(sum256[:]), "SHA-1": hex.EncodeToString(sum1[:]),
			"MD5": hex.EncodeToString(sum5[:]), "SHA-256 in base64": base64.StdEncoding.EncodeToString(sum256[:]),
		} {
			shapes[name+" of "+s] = shape
		}
		// In base64 a text looks different at each of three places; what is
		// whole in the middle is the same.
		for shift := range 3 {
			encoded := base64.StdEncoding.EncodeToString(append(make([]byte, shift), b...))
			shapes[fmt.Sprintf("base64 at %d of %s", shift, s)] = strings.Trim(encoded[4:], "=")[:len(encoded)-8]
		}
	}
	return shapes
}

// TestNoCanaryIsEverReported runs every command and a conversation of 100 turns in
// a project full of markers. None may be in a byte that telemetry writes or sends.
func TestNoCanaryIsEverReported(t *testing.T) {
	home := filepath.Join(t.TempDir(), marker+"-home")
	i := &installation{t: t, home: home, dir: filepath.Join(t.TempDir(), marker+"-project"), env: map[string]string{
		"USER": marker, "LOGNAME": marker, "HOSTNAME": marker, "RASA_LICENSE": marker, "RASA_PRO_LICENSE": marker, marker: marker, "RASA_ENVIRONMENT": marker,
	}}
	if err := os.MkdirAll(home, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range canaryFiles() {
		i.write(name, text)
	}
	c := newCollector(t, nil)
	i.seen()
	i = i.with(c.env())
	if name, err := os.Hostname(); err == nil && len(name) > 3 {
		defer func() { i.searchFor(name, c) }()
	}

	talk := strings.Repeat("hello Zq7Canary\n/Zq7Canary_greet{\"Zq7Canary_entity\": \"Zq7Canary\"}\n", 10) + "/stop\n"
	var debug bytes.Buffer
	for _, mode := range []*installation{i, i.with(map[string]string{"RASA_TELEMETRY_DEBUG": "true"})} {
		for _, args := range [][]string{
			{"data", "validate"}, {"train", "--fixed-model-name", marker}, {"train", "nlu", "--out", "nlu-" + marker}, {"train", "core", "--out", "core-" + marker},
			{"test", "nlu", "--no-plot"}, {"data", "split", "nlu"}, {"shell", "--conversation-id", marker}, {"shell", "nlu"},
			{"train", "--config", "broken/config.yml"}, {"run", "--model", marker}, {"init", "--no-prompt", "--init-dir", marker},
			{"train", "--out", "config.yml/" + marker, "--force"}, {"test", "--no-plot", "--out", marker}, {"test", "core", "--no-plot"},
			{"visualize", "--out", marker + ".html"}, {"evaluate", "markers", "all", "--no-stats", marker + ".csv"}, {"data", "split", "stories"},
			{"data", "convert", "nlu", "--out", marker + ".yml"}, {"data", "migrate", "--out", marker + "-domain.yml"}, {"interactive", "--model", marker},
		} {
			o := mode.loquatOn(talk, args...)
			for _, text := range strings.Split(o.stderr, "Telemetry Event:\n")[1:] {
				var report json.RawMessage // what follows it is the command's own
				if err := json.NewDecoder(strings.NewReader(text)).Decode(&report); err != nil {
					t.Fatal(err)
				}
				debug.Write(report)
			}
		}
	}
	server := i.serve()
	for n := range 100 {
		body := fmt.Sprintf(`{"sender": "Zq7Canary-%d", "message": "hello Zq7Canary %d", "metadata": {"Zq7Canary": "Zq7Canary"}}`, n%7, n)
		response, err := http.Post(server.url+"/webhooks/rest/webhook?"+url.QueryEscape(marker), "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	server.post("/model/test/intents", "nlu: [{intent: Zq7Canary_greet, examples: \"- hello Zq7Canary\\n\"}]")
	server.post("/model/train?save_to_default_model_directory=false", strings.NewReplacer(" hi", " "+marker, "_hi", "_"+marker, "tiny", marker).Replace(tinyProject))
	server.stop()
	debug.WriteString(i.ok("telemetry", "preview"))
	debug.WriteString(i.ok("telemetry", "preview", "--config", "broken/config.yml"))
	i.deliver(func() bool { return c.count() > 0 && i.status().LastSent != "" })

	recorded := names(i.recorded())
	if len(recorded) < 13 || c.count() == 0 || debug.Len() < 10_000 {
		t.Fatalf("too little was reported to judge: %v, %d requests, %d bytes of debug", recorded, c.count(), debug.Len())
	}
	c.mu.Lock()
	c.bytes = append(c.bytes, debug.Bytes()...)
	c.mu.Unlock()
	for _, text := range []string{
		marker, "https://Zq7Canary.example.com/Zq7Canary.git", "https://Zq7Canary.example.com/Zq7Canary.git\n", i.dir, i.home, "hello Zq7Canary", "Zq7Canary_greet",
	} {
		i.searchFor(text, c)
	}
	for n := range 100 {
		i.searchFor(fmt.Sprintf("hello Zq7Canary %d", n), c)
	}
}

// searchFor looks for every shape of a text in what telemetry wrote and sent.
func (i *installation) searchFor(text string, c *collector) {
	i.t.Helper()
	var all []byte
	err := filepath.WalkDir(i.home, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		all = append(append(all, strings.TrimPrefix(path, i.home)...), data...)
		return err
	})
	if err != nil {
		i.t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all = append(all, c.bytes...)
	for name, shape := range hidden(text) {
		if len(shape) > 3 && bytes.Contains(all, []byte(shape)) {
			i.t.Errorf("telemetry wrote or sent the %s", name)
		}
	}
}

// TestTheSearchForCanariesFinds holds that the search above would notice.
func TestTheSearchForCanariesFinds(t *testing.T) {
	sum := sha256.Sum256([]byte(strings.ToLower(marker)))
	for _, leak := range []string{
		"x" + marker + "x", strings.ToLower(marker), hex.EncodeToString([]byte("--" + marker)), hex.EncodeToString(sum[:]),
		base64.StdEncoding.EncodeToString([]byte(marker)), base64.StdEncoding.EncodeToString([]byte("x" + marker + "yz")), base64.StdEncoding.EncodeToString([]byte("xy" + marker + "z")),
	} {
		found := false
		for _, shape := range hidden(marker) {
			found = found || strings.Contains(leak, shape)
		}
		if !found {
			t.Errorf("%q is not noticed", leak)
		}
	}
}
