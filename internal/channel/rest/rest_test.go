package rest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/loquat-dev/loquat/internal/channel"
)

func serve(t *testing.T, handle channel.Handler) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	New(slog.New(slog.DiscardHandler)).Routes(mux, handle)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

func post(t *testing.T, s *httptest.Server, query, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(s.URL+"/webhooks/rest/webhook"+query, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		data = append(data, "(cut off)"...)
	}
	return resp.StatusCode, string(data)
}

// What is made of each body follows golden/http/rest.json.
func TestMessages(t *testing.T) {
	var got channel.Message
	s := serve(t, func(ctx context.Context, m channel.Message) error {
		got = m
		return m.Output.Send(ctx, m.SenderID, channel.Response{"text": "<b> & ü"})
	})
	said := func(sender string) string { return `[{"recipient_id":"` + sender + `","text":"<b> & ü"}]` }
	for _, c := range []struct {
		body   string
		status int
		answer string
		want   channel.Message
	}{
		{`{"sender":"a","message":"  hi "}`, 200, said("a"), channel.Message{SenderID: "a", Text: "hi", HasText: true, Channel: "rest"}},
		{`{"message":"hi"}`, 200, said("default"), channel.Message{SenderID: "default", Text: "hi", HasText: true, Channel: "rest"}},
		{`{"sender":"","message":""}`, 200, said("default"), channel.Message{SenderID: "default", HasText: true, Channel: "rest"}},
		{`{"sender":42,"message":"hi","input_channel":"app","metadata":{"n":1,"x":1.0}}`, 200, said("42"), channel.Message{
			SenderID: "42", Text: "hi", HasText: true, Channel: "app", Metadata: map[string]any{"n": int64(1), "x": 1.0},
		}},
		{`{"sender":"a"}`, 200, `[]`, channel.Message{}},
		{`{"sender":"a","message":null}`, 200, `[]`, channel.Message{}},
		{`{"sender":"a","message":5}`, 200, `[]`, channel.Message{}},
		{`{"sender":"a","message":"hi","metadata":"text"}`, 200, `[]`, channel.Message{}},
		{`{"sender":{},"message":"hi"}`, 200, `[]`, channel.Message{}},
		{`[{"sender":"a"}]`, 500, "", channel.Message{}},
		{`null`, 500, "", channel.Message{}},
		{``, 500, "", channel.Message{}},
		{`{"sender": "a", `, 400, "", channel.Message{}},
		{`{"sender":"a","message":"` + strings.Repeat("a", maxBody) + `"}`, 413, "", channel.Message{}},
		{`{"sender":"` + strings.Repeat("a", maxSender) + `","message":"hi"}`, 400, "", channel.Message{}},
	} {
		got = channel.Message{}
		status, answer := post(t, s, "", c.body)
		if status != c.status || c.answer != "" && answer != c.answer {
			t.Errorf("%.80s: %d %s, want %d %s", c.body, status, answer, c.status, c.answer)
		}
		if len(got.MessageID) != 32 && got.HasText {
			t.Errorf("%.80s: message id %q", c.body, got.MessageID)
		}
		if diff := cmp.Diff(c.want, got, cmpopts.IgnoreFields(channel.Message{}, "Output", "MessageID")); diff != "" {
			t.Errorf("%.80s: %s", c.body, diff)
		}
	}
}

func TestFailedTurnsAreNotAcknowledged(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{
		{errors.New("disk full"), 500},
		{context.DeadlineExceeded, 503},
		{channel.ErrBusy, 429},
	} {
		s := serve(t, func(context.Context, channel.Message) error { return c.err })
		for _, query := range []string{"", "?stream=true"} {
			if status, body := post(t, s, query, `{"message":"hi"}`); status != c.status || strings.Contains(body, "disk") {
				t.Errorf("%v%s: %d %s, want %d", c.err, query, status, body, c.status)
			}
		}
	}
}

// The first message must be there before the turn is over.
func TestStreamIsImmediate(t *testing.T) {
	seen := make(chan struct{})
	s := serve(t, func(ctx context.Context, m channel.Message) error {
		if err := m.Output.Send(ctx, m.SenderID, channel.Response{"text": "One.\n\nTwo."}); err != nil {
			return err
		}
		<-seen
		return m.Output.Send(ctx, m.SenderID, channel.Response{"text": "Three."})
	})
	resp, err := http.Post(s.URL+"/webhooks/rest/webhook?stream=True", "application/json", strings.NewReader(`{"sender":"a","message":"hi"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	var got []string
	for lines.Scan() {
		if got = append(got, lines.Text()); len(got) == 2 {
			close(seen)
		}
	}
	want := []string{`{"recipient_id":"a","text":"One."}`, `{"recipient_id":"a","text":"Two."}`, `{"recipient_id":"a","text":"Three."}`}
	if diff := cmp.Diff(want, got); diff != "" || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%s\n%v", diff, resp.Header)
	}
}

func TestStreamThatBreaksOffIsNoticed(t *testing.T) {
	s := serve(t, func(ctx context.Context, m channel.Message) error {
		if err := m.Output.Send(ctx, m.SenderID, channel.Response{"text": "One."}); err != nil {
			return err
		}
		return errors.New("disk full")
	})
	if status, body := post(t, s, "?stream=true", `{"sender":"a","message":"hi"}`); status != 200 || !strings.HasSuffix(body, "(cut off)") {
		t.Errorf("%d %q", status, body)
	}
}

// A reminder may speak long after the answer.
func TestLateMessagesAreRefused(t *testing.T) {
	var out channel.Output
	s := serve(t, func(_ context.Context, m channel.Message) error {
		out = m.Output
		return nil
	})
	for _, query := range []string{"", "?stream=true"} {
		if status, _ := post(t, s, query, `{"message":"hi"}`); status != 200 {
			t.Errorf("status %d", status)
		}
		if err := out.Send(t.Context(), "a", channel.Response{"text": "late"}); !errors.Is(err, channel.ErrGone) {
			t.Error(err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(`{"sender":"a","message":"hi","metadata":{"a":1}}`)
	f.Add(`{"sender":-1e5,"message":"\ud800"}`)
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		m, err := read(httptest.NewRecorder(), r)
		if err == nil && (m.SenderID == "" || m.Channel == "" && !strings.Contains(body, "input_channel")) {
			t.Errorf("%q was read as %+v", body, m)
		}
	})
}
