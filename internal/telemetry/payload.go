package telemetry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// envelope is what is around the properties of an event: the format of Segment's
// HTTP API, which many collectors accept.
type envelope struct {
	Type      track     `json:"type" doc:"always track"`
	MessageID messageID `json:"messageId" doc:"random, so that a receiver knows a report again"`
	Timestamp moment    `json:"timestamp" doc:"when it happened, in UTC"`
	UserID    *ID       `json:"userId" doc:"random identifier of this installation, stored in the state file; null if there is none"`
	Event     eventName `json:"event" doc:"the event"`
	Context   Context   `json:"context" doc:"the machine"`
}

// maxReport bounds one report, in bytes.
const maxReport = 8 << 10

// encode makes a report of an event. It is one line of JSON with sorted keys. A
// report that its own schema does not allow is an error and never kept.
func encode(e Event, id *ID, c Context, now time.Time) ([]byte, error) {
	properties, err := asMap(e)
	if err != nil {
		return nil, err
	}
	report, err := asMap(envelope{
		MessageID: messageID{matched{uuid4()}}, Timestamp: momentOf(now), UserID: id,
		Event: Named[eventName](aboutOf(e).name), Context: c,
	})
	if err != nil {
		return nil, err
	}
	report["properties"] = properties
	properties["metrics_id"] = report["userId"]
	if err := Validate(report); err != nil {
		return nil, err
	}
	line, err := marshal(report)
	if err == nil && len(line) > maxReport {
		return nil, fmt.Errorf("report of %d bytes", len(line))
	}
	return line, err
}

func asMap(v any) (map[string]any, error) {
	data, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return Decode(data)
}

// Decode reads one JSON object and keeps numbers as they are written.
func Decode(data []byte) (map[string]any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		return nil, err
	}
	if _, err := d.Token(); m == nil || !errors.Is(err, io.EOF) {
		return nil, errors.New("not one JSON object")
	}
	return m, nil
}

// marshal writes JSON without escaping for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
