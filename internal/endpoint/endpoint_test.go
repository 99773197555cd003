package endpoint_test

import (
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/endpoint"
)

func post(t *testing.T, s endpoint.Settings, body string, compress bool) (string, error) {
	t.Helper()
	c, err := endpoint.New("nlg", s)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := c.Post(t.Context(), []byte(body), compress)
	return string(answer), err
}

// echo answers with what it got: the path and query, headers, and body.
func echo(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "deflate" {
			z, err := zlib.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		data, _ := io.ReadAll(body)
		user, password, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, strings.Join([]string{r.Method, r.URL.String(), r.Header.Get("Content-Type"), r.Header.Get("X-A"), user, password, string(data)}, " "))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func TestSettingsAreHonoured(t *testing.T) {
	got, err := post(t, endpoint.Settings{
		URL: echo(t) + "/a/b?c=d", Params: map[string]string{"p": "q"}, Headers: map[string]string{"X-A": "x"},
		Username: "me", Password: "pw", Token: "t", TokenName: "my_token",
	}, `{"k":1}`, true)
	if want := `POST /a/b?c=d&my_token=t&p=q application/json x me pw {"k":1}`; got != want || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := post(t, endpoint.Settings{URL: echo(t), Token: "t"}, `{}`, false); err != nil || !strings.HasPrefix(got, "POST /?token=t application/json") {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestErrorStatusKeepsTheBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	}))
	defer s.Close()
	_, err := post(t, endpoint.Settings{URL: s.URL + "/secret", Token: "hush"}, `{}`, false)
	status, ok := errors.AsType[*endpoint.StatusError](err)
	if !ok || status.Status != http.StatusTeapot || string(status.Body) != "short and stout" || status.ErrorType() != "418" {
		t.Errorf("got %v", err)
	}
	if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "stout") || !strings.Contains(err.Error(), s.URL) {
		t.Errorf("got %v", err)
	}
}

func TestBracketsInTextsAreNoDepth(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(data)
	}))
	defer s.Close()
	flat := `{"text":"` + strings.Repeat(`[\"`, 1000) + `"}`
	if got, err := post(t, endpoint.Settings{URL: s.URL}, flat, false); err != nil || got != flat {
		t.Errorf("got %.40q, %v", got, err)
	}
	for depth, refused := range map[int]bool{endpoint.MaxDepth: false, endpoint.MaxDepth + 1: true} {
		_, err := post(t, endpoint.Settings{URL: s.URL}, strings.Repeat("[", depth)+strings.Repeat("]", depth), false)
		if (err != nil) != refused {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
}

func TestWrongSettingsNameTheSection(t *testing.T) {
	for _, s := range []endpoint.Settings{{}, {URL: "ftp://x"}, {URL: "localhost:5055"}, {URL: "https://x", CAFile: "nowhere.pem"}} {
		if _, err := endpoint.New("nlg", s); err == nil || !strings.HasPrefix(err.Error(), "nlg: ") {
			t.Errorf("%v: %v", s, err)
		}
	}
}
