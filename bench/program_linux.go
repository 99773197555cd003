package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/app"
)

// programBench measures ./bin/loquat itself.
type programBench struct {
	*nluBench
	program string
}

// meaningYAML is the configuration that has the sentence encoder, and nothing but NLU.
var meaningYAML = strings.Replace(pipelineYAML, "- name: DIETClassifier\n", "- name: LanguageModelFeaturizer\n  model_weights: all-MiniLM-L6-v2\n- name: DIETClassifier\n", 1)

const pipelineYAML = `recipe: default.v1
language: en
pipeline:
- name: WhitespaceTokenizer
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: DIETClassifier
  epochs: 100
  constrain_similarities: true
`

// training is what a run of the program took.
type training struct {
	took time.Duration
	cpu  time.Duration // on all cores together; what counts on a busy machine
	peak int64         // bytes of memory
}

func (t training) String() string {
	return fmt.Sprintf("%.2f s (%.2f s of CPU)", t.took.Seconds(), t.cpu.Seconds())
}

// train runs `loquat train nlu` on NLU data, in a folder of its own.
func (b *programBench) train(ctx context.Context, dir, config string, data []byte) (t training, err error) {
	for name, content := range map[string][]byte{"config.yml": []byte(config), "data/nlu.yml": data} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return t, err
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			return t, err
		}
	}
	cmd := exec.CommandContext(ctx, b.program, "train", "nlu", "--fixed-model-name", "bench")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RASA_TELEMETRY_ENABLED=false")
	started := time.Now()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return t, err
	}
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		t.peak = peakMemory(cmd.Process.Pid, done)
	}()
	err = cmd.Wait()
	t.took, t.cpu = time.Since(started), cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime()
	close(done)
	<-watched
	if err != nil {
		return t, fmt.Errorf("train nlu: %w\n%s", err, &out)
	}
	return t, nil
}

// peakMemory asks for the largest memory of a process until it is done. What the
// kernel tells of it at its end is no smaller than the memory of this process.
func peakMemory(pid int, done <-chan struct{}) (peak int64) {
	for {
		if now, err := memory(pid, "VmHWM:"); err == nil {
			peak = now
		}
		select {
		case <-done:
			return peak
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// clinc trains the program on CLINC150 and loads and uses the model in a process
// of its own, on one core.
func (b *programBench) clinc(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data, err := os.ReadFile(filepath.Join(b.dir, "clinc150", "nlu.yml"))
	if err != nil {
		return err
	}
	t, err := b.train(ctx, dir, pipelineYAML, data)
	if err != nil {
		return err
	}
	b.row("loquat train nlu, clinc150 (15,000 examples)", "≤ 15 (8) s", "%v", t)
	b.row("its peak of memory", "≤ 500 MB", "%.0f MB", float64(t.peak)/1e6)
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, "parse", filepath.Join(dir, "models", "bench.tar.gz"), filepath.Join(b.dir, "clinc150", "test.tsv"))
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	if err := startOn([]int{0}, cmd); err != nil {
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("parse: %w\n%s", err, &complaints)
	}
	var r parseResult
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		return err
	}
	b.row("loading that model", "≤ 150 ms", "%.0f ms", r.LoadMS)
	b.row("resident memory with it", "≤ 120 MB", "%.0f MB", float64(r.Resident)/1e6)
	b.row("parse, one core, p50 / p99", "≤ 0.2/1 (0.05/0.3)", "%.3f / %.3f ms", r.P50, r.P99)
	return nil
}

// smallBot trains the program on 300 examples: 15 each of 20 intents of HWU64,
// with their entities.
func (b *programBench) smallBot(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data, err := b.smallData()
	if err != nil {
		return err
	}
	t, err := b.train(ctx, dir, pipelineYAML, data)
	if err != nil {
		return err
	}
	b.row("loquat train nlu, 300 examples of 20 intents with entities", "≤ 1 (0.4) s", "%v", t)
	return nil
}

// smallData has 15 examples of each of 20 intents of HWU64.
func (b *programBench) smallData() ([]byte, error) {
	table, err := os.ReadFile(filepath.Join(b.dir, "hwu64", "train.tsv"))
	if err != nil {
		return nil, err
	}
	byIntent := map[string][]string{}
	var intents []string
	for line := range strings.Lines(string(table)) {
		columns := strings.Split(strings.TrimSpace(line), "\t")
		if len(columns) < 3 || columns[1] == "intent" {
			continue
		}
		if byIntent[columns[1]] == nil {
			intents = append(intents, columns[1])
		}
		byIntent[columns[1]] = append(byIntent[columns[1]], columns[2])
	}
	slices.Sort(intents)
	var data bytes.Buffer
	data.WriteString("version: \"3.1\"\nnlu:\n")
	chosen := 0
	for _, intent := range intents {
		if len(byIntent[intent]) < 15 || chosen == 20 {
			continue
		}
		chosen++
		fmt.Fprintf(&data, "- intent: %s\n  examples: |\n", intent)
		for _, text := range byIntent[intent][:15] {
			fmt.Fprintf(&data, "    - %s\n", text)
		}
	}
	return data.Bytes(), nil
}

// smallBotWithMeaning trains the same with the sentence encoder: from nothing, and
// after one new example.
func (b *programBench) smallBotWithMeaning(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "loquat-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	data, err := b.smallData()
	if err != nil {
		return err
	}
	for _, c := range []struct{ what, must, more string }{
		{"from nothing", "≤ 3 s", ""},
		{"after one new example", "≤ 0.5 s", "    - what have you got that i have not asked for\n"},
	} {
		t, err := b.train(ctx, dir, meaningYAML, append(data, c.more...))
		if err != nil {
			return err
		}
		b.row("with the encoder: loquat train nlu, 300 examples, "+c.what, c.must, "%v", t)
		b.row("its peak of memory", "", "%.0f MB", float64(t.peak)/1e6)
	}
	return nil
}

// parseResult is what the section "parse" prints.
type parseResult struct {
	LoadMS, P50, P99 float64
	Resident         int64
}

// benchParse loads a model and parses the texts of a table, in this process.
func benchParse(ctx context.Context, model, table string) error {
	examples, err := readExamples(table)
	if err != nil {
		return err
	}
	started := time.Now()
	p, err := app.OpenParser(ctx, app.ServeOptions{Model: model, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	r := parseResult{LoadMS: milliseconds(time.Since(started))}
	var times []time.Duration
	for _, e := range examples {
		began := time.Now()
		if _, err := p.Parse(ctx, e.Text); err != nil {
			return err
		}
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	r.P50, r.P99 = milliseconds(times[len(times)/2]), milliseconds(times[len(times)*99/100])
	if r.Resident, err = memory(os.Getpid(), "VmRSS:"); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}
