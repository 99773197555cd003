package jieba_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/nlu"
	"github.com/loquat-dev/loquat/internal/nlu/tokenizer/jieba"
)

func newTokenizer(t testing.TB, c graph.Config, saved graph.Resource) *jieba.Tokenizer {
	t.Helper()
	env := graph.Env{Logger: slog.New(slog.DiscardHandler)}
	component, err := jieba.Type().Build(env, c, saved)
	if err != nil {
		t.Fatal(err)
	}
	return component.(*jieba.Tokenizer)
}

func tokens(t testing.TB, c *jieba.Tokenizer, text string) []nlu.Token {
	t.Helper()
	m := &nlu.Message{}
	m.Values[nlu.Text] = text
	if err := c.Process(context.Background(), []*nlu.Message{m}); err != nil {
		t.Fatal(err)
	}
	return m.Tokens[nlu.Text]
}

func cut(t testing.TB, c *jieba.Tokenizer, text string) string {
	t.Helper()
	var words []string
	for _, token := range tokens(t, c, text) {
		words = append(words, token.Text)
	}
	return strings.Join(words, "|")
}

// What jieba 0.42.1 makes of these.
func TestTextIsCutAsByJieba(t *testing.T) {
	c := newTokenizer(t, nil, nil)
	for _, want := range []string{
		"结婚|的|和|尚未|结婚|的",  // the most probable words
		"他|来到|了|网易|杭研|大厦", // 杭研 is in no dictionary
		"灣繁體|字",           // nor is this
		"50%|的|人",
		"3.14|是|圆周率",
		"C++|和|C#|哪个|好",
		"zhang|_|san",
		"你好|\r\n|世界",
		"你好| | |！|？|😀",
	} {
		if got := cut(t, c, strings.ReplaceAll(want, "|", "")); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// Every file of the folder counts, and its words are part of the model.
func TestUserDictionariesBecomePartOfTheModel(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "a.txt"), "\ufeff创新办 3 i\r\n凱特琳 nz\n\n")
	write(t, filepath.Join(folder, "b.txt"), "云计算\n今天天气 0\n")
	write(t, filepath.Join(folder, ".hidden"), "李小福是创新办主任\n")
	const text = "李小福是创新办主任也是云计算方面的专家今天天气"
	if got := cut(t, newTokenizer(t, nil, nil), text); got != "李小福|是|创新|办|主任|也|是|云|计算|方面|的|专家|今天天气" {
		t.Errorf("without dictionaries: %s", got)
	}
	const want = "李小福|是|创新办|主任|也|是|云计算|方面|的|专家|今天|天气"
	trained := newTokenizer(t, graph.Config{"dictionary_path": folder}, nil)
	if got := cut(t, trained, text); got != want {
		t.Errorf("in training: %s", got)
	}
	saved, err := trained.Persist()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if got := cut(t, newTokenizer(t, graph.Config{"dictionary_path": folder}, saved), text); got != want {
		t.Errorf("from the model: %s", got)
	}
}

// A node's fingerprint follows the contents of the dictionaries, so that editing
// one trains again.
func TestFilesAreWhatTheDictionariesHold(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "words.txt"), "云计算\n")
	got, err := jieba.Type().Files(graph.Config{"dictionary_path": folder})
	if d := cmp.Diff(graph.Resource{"words.txt": []byte("云计算\n")}, got); d != "" || err != nil {
		t.Error(err, d)
	}
	if got, err := jieba.Type().Files(graph.Config{"dictionary_path": nil}); got != nil || err != nil {
		t.Error(got, err)
	}
}

func TestBadDictionariesAreRefused(t *testing.T) {
	latin, nested := t.TempDir(), t.TempDir()
	write(t, filepath.Join(latin, "words.txt"), "caf\xe9 3\n")
	if err := os.Mkdir(filepath.Join(nested, "more"), 0o755); err != nil {
		t.Fatal(err)
	}
	for folder, want := range map[string]string{latin: "user dictionary words.txt: not UTF-8", nested: "more is not a file"} {
		_, err := jieba.Type().Build(graph.Env{Logger: slog.New(slog.DiscardHandler)}, graph.Config{"dictionary_path": folder}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestMissingFolderIsReported(t *testing.T) {
	var log strings.Builder
	env := graph.Env{Logger: slog.New(slog.NewTextHandler(&log, nil))}
	if _, err := jieba.Type().Build(env, graph.Config{"dictionary_path": "no/such/folder"}, nil); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), "no user dictionary is used") {
		t.Error(log.String())
	}
}

func TestLongTextsAreCut(t *testing.T) {
	text := strings.Repeat("我想订一张去北京的机票，", 8_000) + strings.Repeat("灣", 10_000) + strings.Repeat("a", 10_000)
	got := tokens(t, newTokenizer(t, nil, nil), text)
	if last := got[len(got)-1]; last.End != utf8.RuneCountInString(text) {
		t.Errorf("the last token ends at %d", last.End)
	}
}

func FuzzTokensAreWhatTheyPointAt(f *testing.F) {
	for _, s := range []string{"我来到北京清华大学", "a\r\n b", "é𠮷野家", "3.14%的人", "\xff你", "👨‍👩‍👧🇨🇳"} {
		f.Add(s)
	}
	c := newTokenizer(f, nil, graph.Resource{"own": []byte("北京清华\n的人 0\n")})
	f.Fuzz(func(t *testing.T, s string) {
		text := []rune(nlu.CleanText(s))
		at := 0
		for _, token := range tokens(t, c, s) {
			if token.Start != at || token.End <= token.Start || token.Text != string(text[token.Start:token.End]) {
				t.Fatalf("%q: %+v", s, token)
			}
			at = token.End
		}
		if at != len(text) {
			t.Fatalf("%q: the tokens end at %d of %d", s, at, len(text))
		}
	})
}

func BenchmarkCut(b *testing.B) {
	c := newTokenizer(b, nil, nil)
	b.ReportAllocs()
	for b.Loop() {
		tokens(b, c, "你好，我想订一张明天下午去北京的机票")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
