// Command bots tries Loquat on sample assistants: it trains each with its own
// configuration, or names what that needs and isn't built, and then with what
// isn't built taken out; serves the model, greets it over REST and prints the
// answer. A line for each assistant; the exit code is 1 if one does not answer.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func main() {
	binary := flag.String("binary", "bin/loquat", "the program under test")
	flag.Parse()
	dir, ok := sharedtest.Find("data", "bots")
	if !ok {
		fmt.Printf("skipped: no sample assistants at %s\n", dir)
		return
	}
	absolute, err := filepath.Abs(*binary)
	if err == nil {
		err = tryAll(absolute, dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bots:", err)
		os.Exit(1)
	}
}

func tryAll(binary, dir string) error {
	ready, err := readyComponents(binary)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ASSISTANT\tOWN CONFIG\tTRAINED\tGREETING\tANSWER")
	silent := 0
	for _, e := range entries {
		project := filepath.Join(dir, e.Name())
		if !hasFile(project, "config.yml") || !(hasFile(project, "domain.yml") || hasFile(project, "domain")) {
			continue
		}
		if usesFlows(project) {
			fmt.Fprintf(out, "%s\tflows (CALM) are not built yet\t\t\t\n", e.Name())
			continue
		}
		line, err := try(binary, project, ready)
		if err != nil {
			silent++
			line += fmt.Sprintf("\tFAILED: %v", firstLine(err.Error()))
		}
		fmt.Fprintf(out, "%s\t%s\n", e.Name(), line)
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if silent > 0 {
		return fmt.Errorf("%d assistants did not answer", silent)
	}
	return nil
}

// try gives the rest of an assistant's line.
func try(binary, project string, ready []string) (string, error) {
	work, err := os.MkdirTemp("", "loquat-bot-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	if err := os.CopyFS(work, os.DirFS(project)); err != nil {
		return "", err
	}
	own := ownConfig(binary, work)

	config := filepath.Join(work, "reduced.yml")
	if err := reduce(filepath.Join(work, "config.yml"), config, ready); err != nil {
		return own, err
	}
	began := time.Now()
	arguments := append([]string{"train", "--config", "reduced.yml", "--skip-validation", "--fixed-model-name", "bot"}, filesOf(work)...)
	if output, err := loquat(binary, work, arguments...).CombinedOutput(); err != nil {
		return own, fmt.Errorf("train: %w: %s", err, output)
	}
	took := time.Since(began).Round(10 * time.Millisecond)
	greeting, answer, err := greet(binary, work, greetings(work))
	return fmt.Sprintf("%s\t%s\t%s\t%s", own, took, greeting, answer), err
}

// ownConfig says what the assistant's own configuration needs that isn't built.
func ownConfig(binary, work string) string {
	output, err := loquat(binary, work, append([]string{"train", "--skip-validation"}, filesOf(work)...)...).CombinedOutput()
	if err == nil {
		return "trains"
	}
	var missing []string
	for _, m := range regexp.MustCompile(`"([A-Za-z]+)" is not built yet`).FindAllStringSubmatch(string(output), -1) {
		if !slices.Contains(missing, m[1]) {
			missing = append(missing, m[1])
		}
	}
	if len(missing) == 0 {
		return "refused: " + firstLine(string(output))
	}
	return "needs " + strings.Join(missing, ", ")
}

func loquat(binary, dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RASA_TELEMETRY_ENABLED=false", "RASA_CACHE_DIRECTORY="+filepath.Join(dir, ".cache"))
	return cmd
}

// readyComponents asks the program what it can run.
func readyComponents(binary string) ([]string, error) {
	output, err := exec.Command(binary, "components").Output()
	if err != nil {
		return nil, fmt.Errorf("list components: %w", err)
	}
	var ready []string
	for line := range strings.Lines(string(output)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[len(fields)-1] == "ready" {
			ready = append(ready, fields[0])
		}
	}
	return ready, nil
}

// starter is what an assistant without a pipeline, or with none that is left,
// gets.
var starter = []any{
	map[string]any{"name": "WhitespaceTokenizer"},
	map[string]any{"name": "CountVectorsFeaturizer"},
	map[string]any{"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
	map[string]any{"name": "DIETClassifier"},
}

// reduce writes a configuration without the components that aren't ready. A
// pipeline that has lost its tokenizer or all classifiers is replaced.
func reduce(from, to string, ready []string) error {
	var problems diag.List
	root := yamlfile.Read(from, "config.yml", &problems)
	if err := problems.Err(); err != nil {
		return err
	}
	keep := func(key string) []any {
		list := root.Get(key)
		if list == nil || list.Kind != yamlfile.List {
			return nil
		}
		var out []any
		for _, item := range list.Items {
			name, _ := item.Get("name").Str()
			if slices.Contains(ready, name[strings.LastIndexByte(name, '.')+1:]) {
				out = append(out, item.Any())
			}
		}
		return out
	}
	pipeline := keep("pipeline")
	text := fmt.Sprint(pipeline)
	if !strings.Contains(text, "Tokenizer") || !strings.Contains(text, "Featurizer") && strings.Contains(text, "DIET") || !strings.Contains(text, "Classifier") {
		pipeline = starter
	}
	policies := keep("policies")
	for _, name := range []string{"MemoizationPolicy", "RulePolicy"} { // what is left of Rasa's default
		if !strings.Contains(fmt.Sprint(policies), name) {
			policies = append(policies, map[string]any{"name": name})
		}
	}
	language, _ := root.Get("language").Str()
	data, err := yaml.Marshal(map[string]any{
		"recipe": "default.v1", "assistant_id": "bot", "language": language, "pipeline": pipeline, "policies": policies,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}

var greetingIntent = regexp.MustCompile(`(?i)^(greet|hello|hi$|hola|salud|sauda|ola|start|welcome)`)

// greetings returns an example of each intent, those that sound like a greeting
// first.
func greetings(project string) []string {
	var others, greetings []string
	_ = filepath.WalkDir(project, func(path string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() || filepath.Ext(path) != ".yml" && filepath.Ext(path) != ".yaml" || strings.Contains(path, "test") && strings.Contains(filepath.Base(path), "test_") {
			return nil
		}
		var problems diag.List
		root := yamlfile.Read(path, path, &problems)
		nlu := root.Get("nlu")
		if nlu == nil {
			return nil
		}
		for _, item := range nlu.Items {
			intent, _ := item.Get("intent").Str()
			examples, _ := item.Get("examples").Str()
			text := plain(strings.TrimSpace(strings.TrimPrefix(firstLine(strings.TrimSpace(examples)), "-")))
			if text == "" {
				continue
			}
			if greetingIntent.MatchString(intent) {
				greetings = append(greetings, text)
			} else {
				others = append(others, text)
			}
		}
		return nil
	})
	return append(greetings, others...)
}

var annotation = regexp.MustCompile(`\[([^\]]*)\](\([^)]*\)|\{[^}]*\})`)

// plain removes the markup of entities.
func plain(example string) string { return annotation.ReplaceAllString(example, "$1") }

// greet serves the model and returns the first text that it answers, and the
// answer.
func greet(binary, dir string, texts []string) (text, answer string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	address := listener.Addr().String()
	_ = listener.Close()
	_, port, _ := net.SplitHostPort(address)

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	server := exec.CommandContext(ctx, binary, "run", "--model", "models/bot.tar.gz", "--in-memory", "--interface", "127.0.0.1", "--port", port, "--connector", "rest")
	server.Dir = dir
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		return "", "", err
	}
	var end error // of the server
	ended := make(chan struct{})
	go func() { end = server.Wait(); close(ended) }()
	defer func() { _ = server.Process.Kill() }()
	for i := 0; i < len(texts); {
		answer, err := post(ctx, "http://"+address+"/webhooks/rest/webhook", texts[i], fmt.Sprint("bots", i))
		switch {
		case err == nil && answer != "":
			return texts[i], answer, nil
		case err == nil:
			i++
			continue
		}
		select {
		case <-ended:
			return "", "", fmt.Errorf("the server ended (%w): %s", end, log.String())
		case <-ctx.Done():
			return "", "", err
		case <-time.After(10 * time.Millisecond):
		}
	}
	// The log is whole when the server has ended.
	_ = server.Process.Signal(os.Interrupt)
	select {
	case <-ended:
	case <-ctx.Done():
		return "", "", ctx.Err()
	}
	if actions := regexp.MustCompile(`action failed.* action=(\w+)`).FindStringSubmatch(log.String()); actions != nil {
		return "", "says nothing by itself: it calls " + actions[1], nil
	}
	if domain, err := os.ReadFile(filepath.Join(dir, "domain.yml")); err == nil && !bytes.Contains(domain, []byte("responses:")) {
		return "", "has nothing to say: no responses", nil
	}
	return "", "", errors.New("no answer to an example of any intent")
}

func post(ctx context.Context, url, text, sender string) (string, error) {
	body, err := json.Marshal(map[string]string{"sender": sender, "message": text})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	var answers []map[string]any
	if err := json.Unmarshal(data, &answers); err != nil {
		return "", fmt.Errorf("answer %s: %w", data, err)
	}
	var texts []string
	for _, a := range answers {
		for _, key := range []string{"text", "image", "custom", "attachment"} {
			if v, ok := a[key]; ok {
				texts = append(texts, fmt.Sprint(v))
			}
		}
	}
	return firstLine(strings.Join(texts, " | ")), nil
}

// filesOf gives the flags for projects whose files are not at Rasa's places.
func filesOf(dir string) []string {
	var flags []string
	if !hasFile(dir, "domain.yml") {
		flags = append(flags, "--domain", "domain")
	}
	if !hasFile(dir, "data") {
		flags = append(flags, "--data", "nlu.yml", "stories.yml")
	}
	return flags
}

func hasFile(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// usesFlows reports whether a project has flows.
func usesFlows(dir string) bool {
	found := false
	_ = filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && strings.HasSuffix(path, ".yml") {
			data, err := os.ReadFile(path)
			found = found || err == nil && (bytes.HasPrefix(data, []byte("flows:")) || bytes.Contains(data, []byte("\nflows:")))
		}
		return nil
	})
	return found
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	if r := []rune(s); len(r) > 100 {
		return string(r[:100]) + "…"
	}
	return s
}
