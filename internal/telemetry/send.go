package telemetry

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/loquat-dev/loquat/internal/safefile"
	"github.com/loquat-dev/loquat/internal/version"
)

// This file has the only code that sends reports. Everything that it sends is judged
// twice: by encode, before Recorder.keep puts it into the spool, and by Accept.

// Bounds of a request, and when one is made.
const (
	maxBatch      = 100
	maxBatchBytes = 480 << 10
	connectTime   = 3 * time.Second
	requestTime   = 5 * time.Second
	maxAnswer     = 4 << 10
	maxHeader     = 16 << 10
	enough        = 20 // reports that are sent before a day has passed
	day           = 24 * time.Hour
	pause         = 10 * time.Minute // after a command has ended before its request
	wakeEvery     = 6 * time.Hour
	switchTime    = 200 * time.Millisecond // how often the switches are asked during a request
)

// send delivers what earlier runs have left, and in a server what waits every few
// hours. A process that began without a collector sends nothing.
func (r *Recorder) send(ctx context.Context, left bool) {
	for ; r.decision.Mode == On; left = true {
		if left {
			r.deliver(ctx)
		}
		select {
		case <-time.After(wakeEvery + time.Duration((rand.Float64()*2-1)*float64(time.Hour))):
		case <-r.closing:
			return
		}
	}
}

// deliver sends the spool if that is due. One process at a time does. "telemetry
// disable" takes the same lock after it has switched off, so that once it has
// returned no request starts.
func (r *Recorder) deliver(ctx context.Context) {
	f := r.decision.settings.files()
	if len(f.list(pending)) == 0 {
		return
	}
	unlock, err := safefile.Lock(filepath.Join(f.dir, "send.lock"), 0)
	if err != nil {
		return
	}
	defer unlock()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go r.cancelWhenOff(ctx, stop)
	for {
		d, all := Decide(r.decision.settings), f.list(pending)
		if d.Mode != On || ctx.Err() != nil || !due(f.readSending(), len(all), d.state.Salt, r.now()) {
			return
		}
		reports, used, stale := batch(all, d.state.ID)
		_ = remove(stale) // or the next time
		if len(reports) == 0 {
			return
		}
		// If this process ends before the answer, not every command that follows
		// shall wait for a slow collector.
		remember(f, func(s *sending) { s.NotBefore = r.now().Add(pause) })
		status, header, err := post(ctx, d.Collector, d.writeKey, reports, r.now())
		if ctx.Err() != nil {
			return // switched off, or at the end of the process: the reports stay
		}
		if !r.settle(f, status, header, err, used) {
			return
		}
	}
}

// remember changes what is known between requests. Without it sending works all the same.
func remember(f files, change func(*sending)) {
	_ = f.whileWriting(func() error { return f.changeSending(change) })
}

// cancelWhenOff ends a request when telemetry is switched off meanwhile.
func (r *Recorder) cancelWhenOff(ctx context.Context, stop context.CancelFunc) {
	for Decide(r.decision.settings).Mode == On {
		select {
		case <-ctx.Done():
			return
		case <-time.After(switchTime):
		}
	}
	stop()
}

// due reports whether reports shall be sent now: once a day, at an hour that
// differs between machines, or when there are enough. A clock that was set back
// does not stop it.
func due(s sending, waiting int, salt string, now time.Time) bool {
	if now.Before(s.NotBefore) && s.NotBefore.Before(now.Add(8*day)) {
		return false
	}
	offset, _ := strconv.ParseInt(salt[:min(len(salt), 8)], 16, 64)
	dayOf := func(t time.Time) int64 { return (t.Unix() - offset%86400) / 86400 }
	return waiting >= enough || dayOf(s.Answered) != dayOf(now)
}

// post sends one request. Of the answer only its status and its header count.
func post(ctx context.Context, collector *url.URL, key string, reports []json.RawMessage, now time.Time) (status int, header http.Header, err error) {
	body, err := marshal(map[string]any{"batch": reports, "sentAt": momentOf(now).text})
	if err != nil {
		return 0, nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, collector.JoinPath("v1", "batch").String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.SetBasicAuth(key, "")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "loquat/"+version.Loquat)
	client := http.Client{
		Timeout: requestTime,
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       (&net.Dialer{Timeout: connectTime}).DialContext,
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
			DisableKeepAlives: true, DisableCompression: true, MaxResponseHeaderBytes: maxHeader,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // what it says does not matter
	return response.StatusCode, response.Header, nil
}

// settle draws the consequences of an answer: what was sent or refused leaves the
// spool, the rest waits. It reports whether more may be sent.
func (r *Recorder) settle(f files, status int, header http.Header, err error, used []kept) (more bool) {
	now, detail := r.now(), fmt.Sprintf("answered %d", status)
	if err != nil {
		detail = "no answer: " + reason(err)
	}
	remember(f, func(s *sending) {
		s.NotBefore, s.Detail = time.Time{}, detail
		switch {
		case status >= 200 && status < 300:
			*s, more = sending{LastSent: now, Answered: now, Dropped: s.Dropped}, f.become(sent, status, used)
		case status == http.StatusTooManyRequests:
			wait, after := time.Hour, header.Get("Retry-After")
			if seconds, err := strconv.Atoi(after); err == nil {
				wait = time.Duration(min(seconds, 86400)) * time.Second
			} else if date, err := http.ParseTime(after); err == nil {
				wait = date.Sub(now)
			}
			s.NotBefore = now.Add(min(max(wait, time.Minute), day))
		case status >= 400 && status < 500:
			f.become(dropped, status, used)
			s.Answered, s.Detail = now, "" // what waits has not been refused
			if status == http.StatusUnauthorized || status == http.StatusForbidden {
				s.NotBefore = now.Add(7 * day)
			}
		default: // the network, a redirect, or a collector in trouble
			wait := min(day, time.Hour<<min(max(s.Failures, 0), 5))
			s.NotBefore = now.Add(time.Duration(float64(wait) * (0.8 + 0.4*rand.Float64())))
			s.Failures++
		}
	})
	return more
}

// reason is the kind of a network error. The error itself may name hosts and addresses,
// or repeat what a stranger has answered.
func reason(err error) string {
	if _, is := errors.AsType[*tls.CertificateVerificationError](err); is {
		return "the certificate is not valid"
	}
	if _, is := errors.AsType[*net.DNSError](err); is {
		return "a host is not known"
	}
	if number, is := errors.AsType[syscall.Errno](err); is {
		return number.Error()
	}
	if op, is := errors.AsType[*net.OpError](err); is && op.Op == "remote error" {
		return op.Err.Error() // the words for an alert of TLS, which is a number
	}
	if late, is := errors.AsType[net.Error](err); is && late.Timeout() {
		return "it took too long"
	}
	return "the connection failed"
}
