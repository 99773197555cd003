// Command demo shows what Loquat is in a minute: it trains the starter project
// in a scratch folder, serves it with --trace, sends it three messages over the
// REST channel, and prints each answer with the tree of spans of that turn. It
// keeps serving until Ctrl-C; with DEMO_ONCE set it ends after the messages.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"
)

var messages = []string{"hello there", "I feel awful today", "will it rain in New York City?"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	binary, err := filepath.Abs("bin/loquat")
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "loquat-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	if err := command(ctx, dir, binary, "init", "--no-prompt"); err != nil {
		return err
	}
	port, err := choosePort(5005)
	if err != nil {
		return err
	}
	server := exec.CommandContext(ctx, binary, "run", "--trace", "--in-memory", "--quiet", "--interface", "127.0.0.1", "--port", strconv.Itoa(port))
	server.Dir, server.Env = dir, append(os.Environ(), colors()...)
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.WaitDelay = 10 * time.Second
	stderr, err := server.StderrPipe()
	if err != nil {
		return err
	}
	fmt.Printf("$ loquat run --trace --port %d\n\n", port)
	if err := server.Start(); err != nil {
		return err
	}
	lines := readLines(stderr)
	url := fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := waitUntilReady(ctx, url, lines); err != nil {
		return errors.Join(err, server.Cancel(), server.Wait())
	}
	for _, text := range messages {
		if err := say(ctx, url, text); err != nil {
			return errors.Join(err, server.Cancel(), server.Wait())
		}
		printTree(lines)
	}
	if os.Getenv("DEMO_ONCE") != "" {
		_ = server.Cancel()
		return server.Wait()
	}
	fmt.Printf("Still serving. Try it yourself, Ctrl-C ends:\n\n  curl -d '{\"sender\": \"me\", \"message\": \"hello\"}' %s/webhooks/rest/webhook\n\n", url)
	for line := range lines {
		fmt.Println(line)
	}
	return server.Wait()
}

// command runs the binary in dir and shows what was typed and what came back.
func command(ctx context.Context, dir, binary string, args ...string) error {
	fmt.Print("$ loquat")
	for _, a := range args {
		fmt.Print(" ", a)
	}
	fmt.Println()
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, os.Stdout, os.Stderr
	return cmd.Run()
}

// colors tells the server, which writes into a pipe, what the terminal can show.
func colors() []string {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || os.Getenv("NO_COLOR") != "" {
		return nil
	}
	return []string{"CLICOLOR_FORCE=1", "COLUMNS=" + strconv.Itoa(width)}
}

// choosePort takes the preferred port, or any free one.
func choosePort(preferred int) (int, error) {
	for _, port := range []int{preferred, 0} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		defer l.Close()
		return l.Addr().(*net.TCPAddr).Port, nil
	}
	return 0, errors.New("no free port")
}

func readLines(r io.Reader) <-chan string {
	lines := make(chan string, 1024)
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(r); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

func waitUntilReady(ctx context.Context, url string, lines <-chan string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		response, err := http.Get(url + "/")
		if err == nil {
			return response.Body.Close()
		}
		select {
		case line, ok := <-lines:
			if !ok {
				return errors.New("the server ended")
			}
			fmt.Println(line)
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return errors.New("the server did not answer within 20 seconds")
}

// say sends one message and prints the answers.
func say(ctx context.Context, url, text string) error {
	body, err := json.Marshal(map[string]string{"sender": "demo", "message": text})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/webhooks/rest/webhook", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answers []map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answers); err != nil {
		return fmt.Errorf("read the answer to %q: %w", text, err)
	}
	if len(answers) == 0 {
		return fmt.Errorf("no answer to %q", text)
	}
	fmt.Printf("you: %s\n", text)
	for _, a := range answers {
		for _, key := range []string{"text", "image"} {
			if s, ok := a[key].(string); ok {
				fmt.Printf("bot: %s\n", s)
			}
		}
	}
	fmt.Println()
	return nil
}

// printTree copies the server's lines up to the blank one that ends a tree.
func printTree(lines <-chan string) {
	for {
		select {
		case line, ok := <-lines:
			fmt.Println(line)
			if !ok || line == "" {
				return
			}
		case <-time.After(5 * time.Second):
			return
		}
	}
}
