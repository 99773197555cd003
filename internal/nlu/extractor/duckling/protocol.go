package duckling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/loquat-dev/loquat/internal/pystr"
)

// Limits of an answer.
const (
	maxAnswer  = 4 << 20 // bytes
	maxMatches = 10_000
	maxDepth   = 100 // nesting of JSON values
)

// ask sends a text to the server and returns its answer. timeMilli is when the
// text was said, in ms since 1970; 0 stands for now.
func (e *Extractor) ask(ctx context.Context, text string, timeMilli int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, strings.NewReader(e.form(text, timeMilli).Encode()))
	if err != nil {
		return nil, withoutURL(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=UTF-8")
	response, err := e.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s: %w", e.place(), withoutURL(err))
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answered %s", e.place(), response.Status)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if len(body) > maxAnswer {
		return nil, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return body, nil
}

// form is the request as Rasa 3.6 sends it: times in whole seconds, and settings
// that aren't set left out, except for the dimensions.
func (e *Extractor) form(text string, timeMilli int64) url.Values {
	if timeMilli == 0 {
		timeMilli = time.Now().UnixMilli()
	}
	dimensions := "null"
	if e.config.Dimensions != nil {
		data, _ := json.Marshal(e.config.Dimensions) // a list of strings always encodes
		dimensions = string(data)
	}
	form := url.Values{"text": {text}, "dims": {dimensions}, "reftime": {strconv.FormatInt(timeMilli/1000*1000, 10)}}
	if e.config.Locale != nil {
		form.Set("locale", *e.config.Locale)
	}
	if e.config.Timezone != nil {
		form.Set("tz", *e.config.Timezone)
	}
	return form
}

// match is one thing that the server found.
type match struct {
	body       string
	start, end int // code points
	dimension  string
	value      map[string]any
}

func (m match) in(dimensions []string) bool { return slices.Contains(dimensions, m.dimension) }

// result is the value of the entity; for an interval its two ends, of which one
// may be open.
func (m match) result() any {
	if m.value["type"] != "interval" {
		return m.value["value"]
	}
	ends := map[string]any{}
	for _, key := range []string{"from", "to"} {
		end, _ := m.value[key].(map[string]any)
		ends[key] = end["value"]
	}
	return ends
}

// readAnswer reads a list of matches.
func readAnswer(body []byte) ([]match, error) {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	var answer []struct {
		Body       string
		Start, End *int
		Dim        string
		Value      map[string]any
	}
	if err := d.Decode(&answer); err != nil {
		return nil, fmt.Errorf("not the JSON of a list of matches: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the JSON")
	}
	if answer == nil {
		return nil, errors.New("null is not a list of matches")
	}
	if len(answer) > maxMatches {
		return nil, fmt.Errorf("it has more than %d matches", maxMatches)
	}
	matches := make([]match, len(answer))
	for i, a := range answer {
		switch {
		case a.Start == nil || a.End == nil || a.Dim == "" || a.Value == nil:
			return nil, fmt.Errorf("match %d has no start, end, dim or value", i)
		case deeper(a.Value, maxDepth):
			return nil, fmt.Errorf("match %d is nested more than %d levels deep", i, maxDepth)
		}
		matches[i] = match{a.Body, *a.Start, *a.End, a.Dim, pystr.Numbers(a.Value).(map[string]any)}
	}
	return matches, nil
}

// deeper reports whether a value nests deeper than levels.
func deeper(v any, levels int) bool {
	if levels < 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		for _, x := range v {
			if deeper(x, levels-1) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, func(x any) bool { return deeper(x, levels-1) })
	}
	return false
}
