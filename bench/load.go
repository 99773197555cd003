package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// talker sends messages over one connection that stays open. It is as frugal as
// it can be, because it shares the machine with what it measures.
type talker struct {
	address string
	name    string
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	turns   int
}

// conversationLength is after how many turns a talker becomes somebody else.
const conversationLength = 20

func (t *talker) dial() (err error) {
	if t.conn, err = net.Dial("tcp", t.address); err != nil {
		return err
	}
	t.reader = bufio.NewReader(t.conn)
	return nil
}

// say sends a message and reads the whole answer.
func (t *talker) say(message string) error {
	body := fmt.Appendf(nil, `{"sender":"%s-%d","message":%q}`, t.name, t.turns/conversationLength, message)
	t.turns++
	t.request = fmt.Appendf(t.request[:0], "POST /webhooks/rest/webhook HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := t.conn.Write(t.request); err != nil {
		return err
	}
	status, err := t.reader.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("answered %q", bytes.TrimSpace(status))
	}
	length := -1
	for {
		line, err := t.reader.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			break
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(value)); err != nil {
				return err
			}
		}
	}
	if length < 3 { // "[]" is no answer
		return fmt.Errorf("an answer of %d bytes", length)
	}
	_, err = io.CopyN(io.Discard, t.reader, int64(length))
	return err
}

// flood sends messages over several connections as fast as they are answered,
// and returns how many a second.
func flood(address string, connections int, message string, duration time.Duration) (float64, error) {
	var turns atomic.Int64
	start := time.Now()
	err := inParallel(connections, func(i int) error {
		t := &talker{address: address, name: fmt.Sprintf("flood%d-%d", start.UnixNano(), i)}
		if err := t.dial(); err != nil {
			return err
		}
		defer t.conn.Close()
		for time.Since(start) < duration {
			if err := t.say(message); err != nil {
				return err
			}
			turns.Add(1)
		}
		return nil
	})
	return float64(turns.Load()) / time.Since(start).Seconds(), err
}

// steady sends messages at a fixed rate, whether or not earlier ones have been
// answered, and returns how long each took from the moment it was due.
func steady(address string, connections, perSecond int, message string, duration time.Duration) (latencies, error) {
	total := int(duration.Seconds() * float64(perSecond))
	took := make(latencies, total)
	var next atomic.Int64
	start := time.Now()
	err := inParallel(connections, func(i int) error {
		t := &talker{address: address, name: fmt.Sprintf("steady%d-%d", start.UnixNano(), i)}
		if err := t.dial(); err != nil {
			return err
		}
		defer t.conn.Close()
		for {
			n := int(next.Add(1)) - 1
			if n >= total {
				return nil
			}
			due := start.Add(time.Duration(n) * time.Second / time.Duration(perSecond))
			time.Sleep(time.Until(due))
			if err := t.say(message); err != nil {
				return err
			}
			took[n] = time.Since(due)
		}
	})
	slices.Sort(took)
	return took, err
}

// latencies are sorted.
type latencies []time.Duration

func (l latencies) percentile(p float64) time.Duration {
	return l[min(len(l)-1, int(p/100*float64(len(l))))]
}

func inParallel(n int, f func(i int) error) error {
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() {
			if err := f(i); err != nil {
				errs <- err
			}
		})
	}
	wg.Wait()
	select {
	case err := <-errs:
		return err
	default:
		return nil
	}
}
