// Command conversations plays the conversation tests of sample assistants, whose
// configurations need nothing but this program (see bench/samplebots), and prints
// how many pass: once as "test core --e2e" does, so that what users say must be
// understood, and once told what they mean. Tests that Rasa 3.6.21 fails with the
// same configuration do not count (testdata/conversations/rasa_fails.json). Then it
// says the same messages to a server, with custom actions in Go. The exit code is
// 1 if a test that counts fails, or an action does.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/loquat-dev/loquat/bench/samplebots"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/sharedtest"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

func main() {
	binary := flag.String("binary", "bin/loquat", "the program under test")
	flag.Parse()
	bots, ok := sharedtest.Find("data", "bots")
	if !ok {
		fmt.Printf("skipped: no sample assistants at %s\n", bots)
		return
	}
	absolute, err := filepath.Abs(*binary)
	if err == nil {
		err = playAll(absolute, bots, filepath.Join("testdata", "conversations"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "conversations:", err)
		os.Exit(1)
	}
}

// failures name the tests of an assistant that Rasa fails.
type failures struct {
	Understood []string `json:"understood"` // rasa test core --e2e
	Told       []string `json:"told"`       // rasa test core
}

func playAll(binary, bots, replacements string) error {
	data, err := os.ReadFile(filepath.Join(replacements, "rasa_fails.json"))
	if err != nil {
		return err
	}
	var excused map[string]failures
	if err := json.Unmarshal(data, &excused); err != nil {
		return fmt.Errorf("rasa_fails.json: %w", err)
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "ASSISTANT\tTESTS\tUNDERSTOOD\tOF THOSE THAT COUNT\tTOLD\tOF THOSE THAT COUNT\tMESSAGES SAID")
	var failed []string
	for _, name := range samplebots.Names {
		line, wrong, err := play(binary, bots, replacements, name, excused[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		fmt.Fprintf(out, "%s\t%s\n", name, line)
		for _, w := range wrong {
			failed = append(failed, name+": "+w)
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("%d failed:\n  %s", len(failed), strings.Join(failed, "\n  "))
	}
	return nil
}

// play gives the rest of an assistant's line, and what failed.
func play(binary, bots, replacements, name string, excused failures) (line string, wrong []string, err error) {
	dir, err := os.MkdirTemp("", "loquat-conversations-")
	if err != nil {
		return "", nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := samplebots.Copy(dir, bots, replacements, name); err != nil {
		return "", nil, err
	}
	if err := loquat(binary, dir, "train", "--skip-validation", "--fixed-model-name", "bot"); err != nil {
		return "", nil, err
	}
	for i, mode := range []struct {
		name    string
		flags   []string
		excused []string
	}{{"understood", []string{"--e2e"}, excused.Understood}, {"told", nil, excused.Told}} {
		results := filepath.Join(dir, mode.name)
		arguments := append([]string{"test", "core", "--stories", "tests", "--successes", "--no-plot", "--out", results}, mode.flags...)
		if err := loquat(binary, dir, arguments...); err != nil {
			return "", nil, err
		}
		passed, err := stories(filepath.Join(results, "successful_test_stories.yml"))
		if err != nil {
			return "", nil, err
		}
		missed, err := stories(filepath.Join(results, "failed_test_stories.yml"))
		if err != nil {
			return "", nil, err
		}
		right, counts := 0, 0
		for _, test := range slices.Concat(passed, missed) {
			switch {
			case slices.Contains(mode.excused, test):
				continue
			case slices.Contains(passed, test):
				right++
			default:
				wrong = append(wrong, fmt.Sprintf("%s (%s)", test, mode.name))
			}
			counts++
		}
		if i == 0 {
			line = fmt.Sprint(len(passed) + len(missed))
		}
		line += fmt.Sprintf("\t%d\t%d of %d", len(passed), right, counts)
	}
	said, broken, err := sayAll(binary, dir, name)
	if err != nil {
		return "", nil, err
	}
	return line + fmt.Sprintf("\t%d", said), append(wrong, broken...), nil
}

func loquat(binary, dir string, arguments ...string) error {
	cmd := exec.Command(binary, arguments...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "RASA_TELEMETRY_ENABLED=false", "RASA_CACHE_DIRECTORY="+filepath.Join(dir, ".cache"))
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", strings.Join(arguments, " "), err, output)
	}
	return nil
}

// stories names the stories of a file, without the file that they come from.
func stories(path string) ([]string, error) {
	var problems diag.List
	root := yamlfile.Read(path, filepath.Base(path), &problems)
	if err := problems.Err(); err != nil {
		return nil, err
	}
	list := root.Get("stories")
	if list == nil {
		return nil, nil // a comment alone
	}
	var names []string
	for _, item := range list.Items {
		name, _ := item.Get("story").Str()
		if i := strings.LastIndex(name, " ("); i > 0 && strings.HasSuffix(name, ".yml)") {
			name = name[:i]
		}
		names = append(names, name)
	}
	return names, nil
}
