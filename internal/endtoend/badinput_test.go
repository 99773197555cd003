package endtoend

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// What becomes of bad input, and where it is tested:
//
//	empty intent name                        a warning          testdata/problems/empty-name
//	an intent or entity with one example     a warning          testdata/problems/few-examples
//	one intent                               trains, no intent  TestOneIntentIsNotLearned
//	no examples at all                       refused            TestNothingToLearnIsRefused
//	annotations that cut words               a warning          testdata/problems/entity-offsets
//	invalid UTF-8 in a file                  refused            testdata/problems/invalid-encoding
//	invalid UTF-8 in a request               U+FFFD             TestBadInput/invalid_UTF-8
//	a message of 100,000 characters          answered           TestBadInput
//	a longer one                             by its beginning   assistant: TestLongTextsAreUnderstoodByTheirBeginning
//	regular expressions that backtrack for ever, in
//	  any of the below                       stopped, answered  TestBadInput
//	  RegexFeaturizer                        a warning          regexfeaturizer: TestCatastrophicPatternIsStopped
//	  RegexEntityExtractor                   a warning          regexentity: TestCatastrophicPatternIsStopped
//	  token_pattern                          a warning          whitespace: TestCatastrophicTokenPatternIsStopped
//	  KeywordIntentClassifier                a warning          keyword: TestCatastrophicKeywordIsStopped
//	an invalid regular expression            refused            testdata/problems/invalid-regex
//	Duckling down                            answered, an error in the log  TestBadInput
//	Duckling slow, lying, not Duckling       the same           duckling: TestServersThatAreOfNoUse
//	an action server that is down, slow, answers 404, 500, HTML,
//	  100 MB, nothing, unknown events, wrong types, a text that
//	  is none                                the action fails, the turn goes on  conversation: TestActionServersMayFailInAnyWay
//	  too deep, too much, another host       the same           webhook: TestHostileAnswersAreRefused, TestRedirectsStayOnTheHost
//	  over gRPC                              the same           actionrpc: TestHostileAnswersAreRefused, TestAServerThatIsDown
//	a server of responses that fails         the same           conversation: TestAServerOfResponsesMayFail
//	an action that follows itself            ends after ten     conversation: TestAnActionThatFollowsItselfEnds
//	a form that can't start                  is undone          conversation: TestAFormThatCannotStartIsUndone
//	a session that can't start               the message stays  conversation: TestASessionThatCannotStartKeepsTheMessage
//	contradictory rules                      refused            testdata/problems/rule-contradiction
//	a form whose slot has no mapping         a warning          testdata/problems/slot-never-filled
//	a story with an unknown intent           a warning          testdata/problems/unknown-intent
//	anything at random, 100,000 turns        nothing breaks     walk: TestWalk

// everything is an assistant whose pipeline has all that reads texts, with a
// pattern that backtracks for ever in each place that takes patterns.
const everything = `
-- config.yml --
recipe: default.v1
assistant_id: everything
language: en
pipeline:
- name: WhitespaceTokenizer
  token_pattern: '^(x+x?)*(?=!)$|[^x].*|x.*'
- name: RegexFeaturizer
- name: LexicalSyntacticFeaturizer
- name: CountVectorsFeaturizer
- name: CountVectorsFeaturizer
  analyzer: char_wb
  min_ngram: 1
  max_ngram: 4
- name: LogisticRegressionClassifier
- name: KeywordIntentClassifier
- name: DIETClassifier
  epochs: 20
- name: CRFEntityExtractor
- name: RegexEntityExtractor
- name: DucklingEntityExtractor
  url: http://127.0.0.1:1
- name: EntitySynonymMapper
- name: ResponseSelector
  epochs: 20
- name: FallbackClassifier
policies:
- name: RulePolicy
-- credentials.yml --
rest:
-- domain.yml --
version: "3.1"
intents: [greet, travel, faq]
entities: [city]
responses:
  utter_faq/name:
  - text: I am a loquat.
  utter_faq/age:
  - text: I am young.
-- data/nlu.yml --
version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
    - good morning
    - ^(x+x?)*(?=!)$
- intent: travel
  examples: |
    - fly me to [Rome](city)
    - a ticket to [New York](city) please
    - I want to travel to [Oslo](city)
- intent: faq/name
  examples: |
    - what is your name
    - who are you
- intent: faq/age
  examples: |
    - how old are you
    - what is your age
- regex: city
  examples: |
    - ^(x+x?)*(?=!)$
- lookup: city
  examples: |
    - Rome
    - Oslo
`

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	extract(t, txtar.Parse([]byte(everything)), dir)
	run(t, dir, "train", "nlu")
	s := startServer(t, dir)

	const long = 100_000
	for name, text := range map[string]string{
		"a word":            strings.Repeat("a", long),
		"words":             strings.Repeat("fly to Rome ", long/12),
		"spaces":            strings.Repeat(" ", long),
		"signs":             strings.Repeat("!?.,-(", long/6),
		"emoji":             strings.Repeat("👨‍👩‍👧", long/5),
		"marks":             "e" + strings.Repeat("\u0301", long),
		"hangul and arabic": strings.Repeat("안녕 مرحبا ", long/9),
		"digits":            strings.Repeat("1234567890 ", long/11),
		"catastrophe":       strings.Repeat("x", long),
		"many catastrophes": strings.Repeat(strings.Repeat("x", 40)+" ", long/41),
		"an intent message": "/" + strings.Repeat("greet", long/5),
		"braces":            "/greet" + strings.Repeat(`{"city":`, long/8),
		"nothing":           "",
		"controls":          "\x00\x01\x1b[31m\u2028\u202e",
	} {
		got := s.parse(t, text)
		if got.Text != text && strings.TrimSpace(text) != got.Text {
			t.Errorf("%s: the text came back as %.40q", name, got.Text)
		}
		for _, e := range got.Entities {
			if e.End > len([]rune(text)) || e.Start > e.End {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
	if got := s.parse(t, "fly me to Oslo"); got.Intent.Name != "travel" || len(got.Entities) == 0 {
		t.Errorf("afterwards: %+v", got)
	}
	t.Run("invalid UTF-8", func(t *testing.T) {
		for _, path := range []string{"/model/parse", "/webhooks/rest/webhook"} {
			status, answer := s.post(t, path, []byte("{\"sender\": \"a\", \"message\": \"fly to \xff\xfe Oslo\", \"text\": \"fly to \xff\xfe Oslo\"}"))
			if status != http.StatusOK || !json.Valid(answer) {
				t.Errorf("%s: %d %s", path, status, answer)
			}
		}
	})
	s.stop(t)
	for _, want := range []string{"regex=city", "^(x+x?)*(?=!)$", "the token_pattern was stopped", "the Duckling server was of no use"} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log says nothing of %q", want)
		}
	}
}

// Requests to a Duckling server are part of the trace of the message.
func TestDucklingIsAskedWithinTheTrace(t *testing.T) {
	var asked atomic.Value
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Header.Get("traceparent"))
		_, _ = io.WriteString(w, `[{"body":"Oslo","start":10,"end":14,"dim":"place","value":{"type":"value","value":7}}]`)
	}))
	defer server.Close()
	t.Setenv("RASA_DUCKLING_HTTP_URL", server.URL)
	dir := t.TempDir()
	extract(t, txtar.Parse([]byte(everything)), dir)
	if err := os.WriteFile(filepath.Join(dir, "endpoints.yml"), []byte("tracing:\n  type: otlp\n  endpoint: 127.0.0.1:1\n  insecure: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "train", "nlu")
	s := startServer(t, dir)
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/model/parse", bytes.NewReader([]byte(`{"text": "fly me to Oslo"}`)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := asked.Load().(string); !strings.HasPrefix(got, "00-"+trace) || strings.Contains(got, "00f067aa0ba902b7") {
		t.Errorf("Duckling was asked with the trace parent %q", got)
	}
	if !strings.Contains(string(answer), `"additional_info":{"type":"value","value":7}`) {
		t.Errorf("%s", answer)
	}
}

const nothing = `
-- config.yml --
recipe: default.v1
assistant_id: nothing
language: en
pipeline:
policies:
- name: RulePolicy
-- domain.yml --
version: "3.1"
intents: [greet]
-- data/nlu.yml --
version: "3.1"
nlu:
`

func TestNothingToLearnIsRefused(t *testing.T) {
	dir := t.TempDir()
	extract(t, txtar.Parse([]byte(nothing)), dir)
	out, err := command(t, dir, "train", "nlu").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "no NLU examples") {
		t.Errorf("%v\n%s", err, out)
	}
}

// With a single intent there is nothing to tell apart: as in Rasa, none is
// predicted.
func TestOneIntentIsNotLearned(t *testing.T) {
	dir := t.TempDir()
	extract(t, txtar.Parse([]byte(nothing+"- intent: greet\n  examples: |\n    - hello\n")), dir)
	run(t, dir, "train", "nlu")
	s := startServer(t, dir)
	if got := s.parse(t, "hello"); got.Intent.Name != "nlu_fallback" && got.Intent.Name != "" {
		t.Errorf("%+v", got)
	}
}
