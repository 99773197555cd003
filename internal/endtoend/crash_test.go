package endtoend

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crashes is how often the server is killed during the test, and turns how many
// turns are acknowledged altogether.
const (
	crashes = 8
	turns   = 200
	users   = 4
)

// TestKilledServerLosesNothing kills the server with SIGKILL at random moments
// of 200 turns. After each restart every acknowledged turn must be stored,
// whole, once; the one that was under way may be stored, but then whole and once.
func TestKilledServerLosesNothing(t *testing.T) {
	dir := t.TempDir()
	writeProject(t, dir)
	run(t, dir, "train")

	var talk conversations
	for crash := range crashes {
		s := startServer(t, dir)
		talk.check(t, s.url)
		talk.goOn(t, s, turns/crashes, crash)
	}
	s := startServer(t, dir)
	talk.check(t, s.url)
	s.kill()
}

// conversations is what each user said, and which of it was acknowledged.
type conversations struct {
	said [users][]utterance
}

type utterance struct {
	text         string
	acknowledged bool
}

// goOn has all users talk until n further turns are acknowledged, and kills the
// server a random moment later.
func (c *conversations) goOn(t *testing.T, s *crashServer, n, crash int) {
	t.Helper()
	var wg sync.WaitGroup
	acknowledged := make(chan struct{}, n)
	for user := range users {
		wg.Go(func() {
			for {
				text := fmt.Sprintf("hello %d-%d-%d", crash, user, len(c.said[user]))
				c.said[user] = append(c.said[user], utterance{text: text})
				if err := say(s.url, userName(user), text); err != nil {
					return // the server is dead
				}
				c.said[user][len(c.said[user])-1].acknowledged = true
				select {
				case acknowledged <- struct{}{}:
				default:
				}
			}
		})
	}
	for range n {
		select {
		case <-acknowledged:
		case <-time.After(20 * time.Second):
			t.Errorf("no answers; the server's log:\n%s", s.log)
			s.kill()
			wg.Wait()
			return
		}
	}
	time.Sleep(time.Duration(rand.IntN(3000)) * time.Microsecond)
	s.kill()
	wg.Wait()
}

func userName(user int) string { return "user " + strconv.Itoa(user) }

func say(url, sender, text string) error {
	body, err := json.Marshal(map[string]string{"sender": sender, "message": text})
	if err != nil {
		return err
	}
	resp, err := http.Post(url+"/webhooks/rest/webhook", "application/json", strings.NewReader(string(body)))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || !strings.Contains(string(answer), "Hello!") {
		return fmt.Errorf("%s: %s", resp.Status, answer)
	}
	return nil
}

// storedEvent is what the test looks at in an event.
type storedEvent struct {
	Event string `json:"event"`
	Name  string `json:"name"`
	Text  string `json:"text"`
}

// check compares the stored conversations with what was said.
func (c *conversations) check(t *testing.T, url string) {
	t.Helper()
	for user, said := range c.said {
		stored := storedTurns(t, url, userName(user))
		next := 0
		for _, u := range said {
			if next < len(stored) && stored[next] == u.text {
				next++
			} else if u.acknowledged {
				t.Fatalf("%q was acknowledged and is lost, or not in its place; stored: %q", u.text, stored)
			}
		}
		if next != len(stored) {
			t.Fatalf("%s: more is stored than was said: %q", userName(user), stored[next:])
		}
	}
}

// storedTurns returns the texts of a conversation's turns, which must be whole.
func storedTurns(t *testing.T, url, sender string) []string {
	t.Helper()
	resp, err := http.Get(url + "/conversations/" + strings.ReplaceAll(sender, " ", "%20") + "/tracker?include_events=ALL")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var state struct{ Events []storedEvent }
	if err := json.NewDecoder(resp.Body).Decode(&state); err != nil {
		t.Fatalf("%s: %v", resp.Status, err)
	}
	var texts, parts []string
	flush := func() {
		if got := strings.Join(parts, " "); len(texts) > 0 && got != "utter_greet bot action_listen" {
			t.Fatalf("%s: the turn %q is not whole: %s", sender, texts[len(texts)-1], got)
		}
		parts = nil
	}
	for _, e := range state.Events {
		switch e.Event {
		case "user":
			flush()
			texts = append(texts, e.Text)
		case "action":
			parts = append(parts, e.Name)
		case "bot":
			parts = append(parts, e.Event)
		}
	}
	flush()
	return texts
}

// crashServer is the program, serving.
type crashServer struct {
	url  string
	cmd  *exec.Cmd
	log  *strings.Builder
	done chan struct{}
}

func startServer(t *testing.T, dir string) *crashServer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	_, port, _ := net.SplitHostPort(address)
	s := &crashServer{url: "http://" + address, log: &strings.Builder{}, done: make(chan struct{})}
	s.cmd = command(t, dir, "run", "--enable-api", "--interface", "127.0.0.1", "--port", port)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.cmd.Wait(); close(s.done) }() // it is killed
	t.Cleanup(s.kill)
	for range 4000 {
		if resp, err := http.Get(s.url + "/"); err == nil {
			resp.Body.Close()
			return s
		}
		select {
		case <-s.done:
			t.Fatalf("the server ended:\n%s", s.log)
		case <-time.After(5 * time.Millisecond):
		}
	}
	t.Fatal("the server does not answer")
	return nil
}

func (s *crashServer) kill() {
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		panic(err)
	}
	<-s.done
}

// stop ends the server in good order.
func (s *crashServer) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	<-s.done
}

func command(t *testing.T, dir string, args ...string) *exec.Cmd {
	cmd := exec.Command(program(t), args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asProgram+"=1", "RASA_TELEMETRY_ENABLED=false")
	return cmd
}

func run(t *testing.T, dir string, args ...string) {
	t.Helper()
	if out, err := command(t, dir, args...).CombinedOutput(); err != nil {
		t.Fatalf("loquat %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// writeProject makes an assistant that answers every message that begins with
// hello.
func writeProject(t *testing.T, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"config.yml": `recipe: default.v1
assistant_id: crash
language: en
pipeline:
- name: KeywordIntentClassifier
policies:
- name: RulePolicy
`,
		"domain.yml": `version: "3.1"
intents: [greet]
responses:
  utter_greet:
  - text: "Hello!"
`,
		"data/data.yml": `version: "3.1"
nlu:
- intent: greet
  examples: |
    - hello
rules:
- rule: greet
  steps:
  - intent: greet
  - action: utter_greet
`,
		"credentials.yml": "rest:\n",
		"endpoints.yml":   "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
