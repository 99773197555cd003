package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/bench/samplebots"
)

// patience is how long an assistant may take for all conversations.
const patience = 2 * time.Minute

// sayAll says the messages of all tests to a server and returns how many were
// answered, and which actions failed.
func sayAll(binary, dir, name string) (said int, failures []string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	endpoints, stop, err := actionServer(ctx, name)
	if err != nil {
		return 0, nil, err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := os.WriteFile(filepath.Join(dir, "said.yml"), []byte(endpoints), 0o600); err != nil {
		return 0, nil, err
	}
	conversations, err := samplebots.Conversations(dir)
	if err != nil {
		return 0, nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return 0, nil, err
	}
	host, port, _ := net.SplitHostPort(address)
	server := exec.CommandContext(ctx, binary, "run", "--endpoints", "said.yml", "--in-memory", "--connector", "rest", "--interface", host, "--port", port)
	server.Dir = dir
	server.Env = append(os.Environ(), "RASA_TELEMETRY_ENABLED=false")
	var log bytes.Buffer
	server.Stderr = &log
	if err := server.Start(); err != nil {
		return 0, nil, err
	}
	url := "http://" + address + "/webhooks/rest/webhook"
	for i, c := range conversations {
		for _, text := range c.Messages {
			if err = post(ctx, url, fmt.Sprint("user", i), text); err != nil {
				break
			}
			said++
		}
	}
	_ = server.Process.Kill()
	_ = server.Wait() // it was killed
	if err != nil {
		return said, nil, fmt.Errorf("%w\n%s", err, log.String())
	}
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "action failed") {
			failures = append(failures, strings.TrimSpace(line))
		}
	}
	return said, failures, nil
}

// actionServer serves an assistant's custom actions, if it has any, and returns
// the contents of its endpoints file.
func actionServer(ctx context.Context, name string) (endpoints string, stop func() error, err error) {
	actions := samplebots.Actions(name)
	if actions == nil {
		return "{}\n", func() error { return nil }, nil
	}
	actions.Logger = slog.New(slog.DiscardHandler)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- actions.Serve(ctx, l) }()
	return fmt.Sprintf("action_endpoint: {url: 'http://%s/webhook'}\n", l.Addr()), func() error { cancel(); return <-served }, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// post says a message; it waits for a server that has only just started.
func post(ctx context.Context, url, sender, text string) error {
	body, err := json.Marshal(map[string]string{"sender": sender, "message": text})
	if err != nil {
		return err
	}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			return err
		}
		answer, err := http.DefaultClient.Do(request)
		if err == nil {
			data, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close() // it was read
			if err == nil && answer.StatusCode != http.StatusOK {
				err = fmt.Errorf("%q is answered %s: %s", text, answer.Status, data)
			}
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
