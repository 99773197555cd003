package endtoend

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// meant has ten examples of each intent, as a young assistant has.
var meant = map[string][]string{
	"lost_card": {
		"i lost my card", "my card is gone", "i can't find my bank card", "my debit card was stolen", "somebody took my card",
		"where is my card i have lost it", "my credit card is missing", "i left my card in a taxi", "please block my card", "my card disappeared",
	},
	"balance": {
		"what is my balance", "how much money do i have", "show me my account balance", "what's left in my account", "tell me my balance please",
		"how much is in my account", "balance of my savings account", "do i have money left", "what do i have in the bank", "check my account",
	},
	"opening_hours": {
		"when do you open", "what are your opening hours", "are you open on sunday", "until when are you open today", "opening times please",
		"is the branch open now", "when do you close", "at what time does the shop close", "your hours on saturday", "do you open early",
	},
	"human": {
		"i want to talk to a human", "let me speak with an agent", "connect me to a person", "give me a real person", "can i talk to somebody",
		"i need a human", "transfer me to support", "i'd like to speak to an employee", "get me an operator", "talk to a representative",
	},
	"thanks": {
		"thank you", "thanks a lot", "thank you very much", "that helped thanks", "great thanks",
		"many thanks", "thanks for your help", "thank you so much", "ok thank you", "thanks buddy",
	},
}

// trainMeant trains an assistant of these examples with the pipeline of the starter
// project, changed, and returns the words that it has seen.
func trainMeant(t *testing.T, dir string, change func(pipeline string) string) (known map[string]bool) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	pipeline, err := os.ReadFile(filepath.Join("..", "..", "examples", "starter", "config.yml"))
	if err != nil {
		t.Fatal(err)
	}
	data, domain := "version: \"3.1\"\nnlu:\n", "version: \"3.1\"\nintents:\n"
	known = map[string]bool{}
	for _, intent := range slices.Sorted(maps.Keys(meant)) {
		domain += "- " + intent + "\n"
		data += "- intent: " + intent + "\n  examples: |\n"
		for _, text := range meant[intent] {
			data += "    - " + text + "\n"
			for word := range strings.FieldsSeq(text) {
				known[word] = true
			}
		}
	}
	for name, content := range map[string]string{
		"credentials.yml": "rest:\n", "config.yml": change(string(pipeline)), "domain.yml": domain, "data/nlu.yml": data,
	} {
		replace(t, filepath.Join(dir, filepath.FromSlash(name)), content)
	}
	run(t, dir, "train", "nlu")
	return known
}

// A text that shares no word with any example is understood by what it means.
func TestParaphrasesWithoutACommonWord(t *testing.T) {
	dir := t.TempDir()
	known := trainMeant(t, dir, func(pipeline string) string { return pipeline })
	s := startServer(t, dir)
	for text, want := range map[string]string{
		"thieves grabbed both visas":           "lost_card",
		"remaining funds":                      "balance",
		"which days will customers be served":  "opening_hours",
		"useless robot, any live staff around": "human",
		"cheers mate, really appreciated":      "thanks",
	} {
		words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
		if i := slices.IndexFunc(words, func(w string) bool { return known[w] }); i >= 0 {
			t.Errorf("%q shares %q with an example: this shows nothing", text, words[i])
		}
		var result struct {
			Intent struct {
				Name       string
				Confidence float64
			}
		}
		post(t, s.url+"/model/parse", map[string]string{"text": text}, &result)
		if result.Intent.Name != want {
			t.Errorf("%q is %s (%.2f), want %s", text, result.Intent.Name, result.Intent.Confidence, want)
		}
	}
}

// A bot that doesn't use the encoder never reads its weights, which lie in the program
// file: the pages of that file which its process has are fewer by most of them.
func TestBotsWithoutTheEncoderDoNotReadIt(t *testing.T) {
	if _, err := os.Stat("/proc/self/smaps"); err != nil {
		t.Skip("this system does not tell which pages a process has")
	}
	var pages [2]int
	for i, change := range []func(string) string{
		func(pipeline string) string { return pipeline },
		func(pipeline string) string {
			before, rest, _ := strings.Cut(pipeline, "- name: LanguageModelFeaturizer\n")
			_, after, _ := strings.Cut(rest, "\n") // its model_weights
			return before + after
		},
	} {
		dir := t.TempDir()
		trainMeant(t, dir, change)
		s := startServer(t, dir)
		var result map[string]any
		post(t, s.url+"/model/parse", map[string]string{"text": "what is left on my card"}, &result)
		pages[i] = programPages(t, s.cmd.Process.Pid)
		s.kill()
	}
	if with, without := pages[0], pages[1]; with-without < 8<<10 {
		t.Errorf("the process has %d kB of the program file with the encoder, %d kB without", with, without)
	}
}

// programPages is how much of its program file a process has in memory, in kB.
func programPages(t *testing.T, pid int) (total int) {
	t.Helper()
	program, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		t.Fatal(err)
	}
	smaps, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps", pid))
	if err != nil {
		t.Fatal(err)
	}
	ours := false
	for line := range strings.Lines(string(smaps)) {
		fields := strings.Fields(line)
		if !strings.HasSuffix(fields[0], ":") { // the head of a mapping
			ours = fields[len(fields)-1] == program
		} else if ours && fields[0] == "Rss:" {
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	if total == 0 {
		t.Fatalf("no pages of %s", program)
	}
	return total
}
