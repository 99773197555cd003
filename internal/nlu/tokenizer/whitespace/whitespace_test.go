package whitespace_test

import (
	"bufio"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/whitespace"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

// A pattern that backtracks for ever costs the time limit of one text, however
// many tokens there are, and is named once.
func TestCatastrophicTokenPatternIsStopped(t *testing.T) {
	var log strings.Builder
	config := graph.Config{"token_pattern": `^(a+a?)*(?=!)$`}
	c, err := whitespace.Type().Build(graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	m := &nlu.Message{}
	m.Values[nlu.Text] = strings.Repeat(strings.Repeat("a", 100)+" ", 1000)
	if err := c.(nlu.Processor).Process(t.Context(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	if n := len(m.Tokens[nlu.Text]); n != 1000 {
		t.Errorf("%d tokens, want the words", n)
	}
	if strings.Count(log.String(), "^(a+a?)*(?=!)$") != 1 || !strings.Contains(log.String(), "tokens=1000") {
		t.Errorf("the log says %s", log.String())
	}
}

type record struct {
	Tokenizer string
	Config    graph.Config
	Group     string
	Attribute string
	Call      string
	Text      string
	Tokens    [][3]any
	Lemmas    []string
	Error     *struct{ Type, Message string }
}

func TestGolden(t *testing.T) {
	f, err := os.Open(sharedtest.Dir(t, "data", "golden", "nlu", "tokenizer.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		if r.Tokenizer == "WhitespaceTokenizer" && !refused[r.Config["token_pattern"]] {
			check(t, r)
		}
	}
}

// Rasa fails on the first text in which such a pattern matches; ours when the
// pipeline is read.
var refused = map[any]bool{`(\w)(\w)`: true, `(a)|(b)`: true}

func TestTokenPatternWithTwoGroupsIsRefused(t *testing.T) {
	for p := range refused {
		if errs := whitespace.Type().Check(graph.Config{"token_pattern": p}); len(errs) != 1 {
			t.Errorf("%v: got %v, want one error", p, errs)
		}
	}
}

func check(t *testing.T, r record) {
	got, err := tokenize(r)
	if err != nil || r.Error != nil {
		if err == nil || r.Error == nil {
			t.Errorf("%s %s %v %q: error %v, want %v", r.Attribute, r.Call, r.Config, r.Text, err, r.Error)
		}
		return
	}
	want := make([]nlu.Token, 0, len(r.Tokens))
	for i, x := range r.Tokens {
		tok := nlu.Token{Text: x[0].(string), Start: int(x[1].(float64)), End: int(x[2].(float64)), Lemma: x[0].(string)}
		if r.Lemmas != nil {
			tok.Lemma = r.Lemmas[i]
		}
		want = append(want, tok)
	}
	if len(got)+len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("%s %s %v %q:\n got %+v\nwant %+v", r.Attribute, r.Call, r.Config, r.Text, got, want)
	}
}

func tokenize(r record) ([]nlu.Token, error) {
	c, err := whitespace.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, r.Config, nil)
	if err != nil {
		return nil, err
	}
	m := &nlu.Message{}
	a := nlu.Text
	for a.String() != r.Attribute {
		a++
	}
	m.Values[a] = r.Text
	if r.Call == "process" {
		err = c.(nlu.Processor).Process(context.Background(), []*nlu.Message{m})
		return m.Tokens[a], err
	}
	d, err := c.(nlu.TrainingProcessor).ProcessTrainingData(context.Background(), &nlu.TrainingData{Messages: []*nlu.Message{m}})
	if err != nil {
		return nil, err
	}
	return d.Messages[0].Tokens[a], nil
}

// Offsets are code points of the text, tokens are in order, and none overlap.
func FuzzTokensLieInTheText(f *testing.F) {
	for _, s := range []string{"Hello, world!", "mail me@x.org: --5 or -.5!", "😀 日本語", "e\u0301a\x1cb", "a\xff\xfeb \xf0\x28", "^^a^^^^^5", "#@& &", "\u200d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = nlu.CleanText(s)
		runes := []rune(s)
		end := 0
		for _, tok := range whitespace.Split(s) {
			if tok.Start < end || tok.End < tok.Start || tok.End > len(runes) {
				t.Fatalf("%q: token %+v after %d", s, tok, end)
			}
			if got := string(runes[tok.Start:tok.End]); got != tok.Text {
				t.Fatalf("%q: token %+v spans %q", s, tok, got)
			}
			end = tok.End
		}
	})
}

// Runs of signs must not be looked at again and again.
func TestLongTextsAreQuick(t *testing.T) {
	for _, part := range []string{"a", "-", "^", " ", "a ^", "-5", "é ", "日", "\xff"} {
		s := nlu.CleanText(strings.Repeat(part, 100_000))
		if n := len(whitespace.Split(s)); n == 0 {
			t.Errorf("%q repeated gives no token", part)
		}
	}
}

func BenchmarkSplit(b *testing.B) {
	for name, s := range map[string]string{
		"ascii":   "I'd like to book a table for 2 people at 19:30, please!",
		"unicode": "Ich möchte für übermorgen einen Flug nach Köln buchen – danke 😀",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				whitespace.Split(s)
			}
		})
	}
}
