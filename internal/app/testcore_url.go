package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/story"
)

// Limits of --url.
const (
	downloadTime  = time.Minute
	downloadBytes = 32 << 20
)

// download gets the stories of --url; nil without one.
func (o TestCoreOptions) download(ctx context.Context) ([]byte, error) {
	if o.URL == "" {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, o.URL, nil)
	if err != nil {
		return nil, fmt.Errorf("--url: %w", err)
	}
	if s := request.URL.Scheme; s != "http" && s != "https" || request.URL.Host == "" {
		return nil, fmt.Errorf("--url: an address of stories begins with http:// or https://, not %q", o.URL)
	}
	answer, err := http.DefaultClient.Do(request)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		return nil, fmt.Errorf("--url: no answer from %s: %w", o.URL, failed.Err)
	}
	defer func() { _ = answer.Body.Close() }() // it was read
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("--url: %s answered %s", o.URL, answer.Status)
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, downloadBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--url: %w", err)
	case len(body) > downloadBytes:
		return nil, fmt.Errorf("--url: the file is larger than %d MiB", downloadBytes>>20)
	}
	return body, nil
}

// urlName is what messages call the file of --url. In an end-to-end test it holds
// tests, whatever its name is.
func (o TestCoreOptions) urlName() string {
	name := path.Base(strings.SplitN(o.URL, "?", 2)[0])
	if o.EndToEnd && !story.IsTestFile(name) {
		name = "test_" + name
	}
	return name
}
