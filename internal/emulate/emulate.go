// Package emulate lets clients of other NLU services talk to this one: it
// reshapes requests and results of POST /model/parse into those of wit.ai, LUIS
// and Dialogflow, as Rasa 3.6 does with the parameter emulation_mode.
package emulate

import (
	"crypto/rand"
	"fmt"
	"strings"
)

// Mode is a service whose shape is used.
type Mode string

// The modes that clients can ask for, in any case.
const (
	Wit        Mode = "WIT"
	LUIS       Mode = "LUIS"
	Dialogflow Mode = "DIALOGFLOW"
)

// ParseMode reads the parameter; false means that there is no such mode.
func ParseMode(s string) (Mode, bool) {
	switch m := Mode(strings.ToUpper(s)); m {
	case Wit, LUIS, Dialogflow:
		return m, true
	}
	return "", false
}

// Text returns the text of a request, which these services also accept as a
// list; its first element counts. False means that there is none.
func Text(v any) (string, bool) {
	if list, ok := v.([]any); ok && len(list) > 0 {
		v = list[0]
	}
	s, ok := v.(string)
	return s, ok
}

// Result reshapes a parse result. It returns nil for an unknown mode.
func (m Mode) Result(parse map[string]any) map[string]any {
	r := read(parse)
	switch m {
	case Wit:
		return r.wit()
	case LUIS:
		return r.luis()
	case Dialogflow:
		return r.dialogflow()
	}
	return nil
}

// result is what the shapes need of a parse result.
type result struct {
	text       string
	characters []rune
	intent     map[string]any
	ranking    []any
	entities   []map[string]any
}

func read(parse map[string]any) result {
	var r result
	r.text, _ = parse["text"].(string)
	r.characters = []rune(r.text)
	r.intent, _ = parse["intent"].(map[string]any)
	r.ranking, _ = parse["intent_ranking"].([]any)
	entities, _ := parse["entities"].([]any)
	for _, e := range entities {
		if e, ok := e.(map[string]any); ok {
			r.entities = append(r.entities, e)
		}
	}
	return r
}

// span returns where an entity stands, inside of the text.
func (r *result) span(e map[string]any) (start, end int) {
	start, end = whole(e["start"]), whole(e["end"])
	start = min(max(start, 0), len(r.characters))
	return start, min(max(end, start), len(r.characters))
}

func whole(v any) int {
	switch n := v.(type) {
	case int:
		return n
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}

// first returns the first of the keys that the entity has.
func first(e map[string]any, keys ...string) any {
	for _, k := range keys {
		if v := e[k]; v != nil {
			return v
		}
	}
	return nil
}

func (r *result) wit() map[string]any {
	entities := map[string]any{}
	for _, e := range r.entities {
		role := first(e, "role", "entity")
		start, end := r.span(e)
		confidence := e["confidence_entity"]
		if confidence == nil {
			confidence = 1
		}
		appendTo(entities, fmt.Sprintf("%v:%v", e["entity"], role), map[string]any{
			"confidence": confidence, "name": e["entity"], "value": e["value"], "body": string(r.characters[start:end]),
			"start": start, "end": end, "role": role, "entities": []any{},
		})
	}
	return map[string]any{
		"text":     r.text,
		"intents":  []any{map[string]any{"name": r.intent["name"], "confidence": r.intent["confidence"]}},
		"entities": entities,
	}
}

func (r *result) luis() map[string]any {
	instances := map[string]any{}
	entities := map[string]any{"$instance": instances}
	for _, e := range r.entities {
		key := fmt.Sprint(first(e, "role", "entity"))
		start, end := r.span(e)
		appendTo(entities, key, e["value"])
		appendTo(instances, key, map[string]any{
			"role": e["role"], "type": e["entity"], "text": string(r.characters[start:end]), "startIndex": start,
			"length": end - start, "score": e["confidence_entity"], "modelType": e["extractor"],
		})
	}
	intents := map[string]any{}
	ranking := r.ranking
	if len(ranking) == 0 {
		ranking = []any{r.intent}
	}
	for _, i := range ranking {
		i, _ := i.(map[string]any)
		if name, ok := i["name"].(string); ok {
			intents[name] = map[string]any{"score": i["confidence"]}
		}
	}
	return map[string]any{
		"query": r.text,
		"prediction": map[string]any{
			"normalizedQuery": r.text, "topIntent": r.intent["name"], "intents": intents, "entities": entities,
		},
	}
}

func (r *result) dialogflow() map[string]any {
	parameters := map[string]any{}
	for _, e := range r.entities {
		appendTo(parameters, fmt.Sprint(e["entity"]), e["value"])
	}
	name := r.intent["name"]
	return map[string]any{
		"responseId": uuid(),
		"queryResult": map[string]any{
			"queryText": r.text, "action": name, "parameters": parameters,
			"fulfillmentText": "", "fulfillmentMessages": []any{}, "outputContexts": []any{},
			"intent":                    map[string]any{"name": name, "displayName": name},
			"intentDetectionConfidence": r.intent["confidence"],
		},
	}
}

// appendTo adds to the list under a key. The key $instance of a LUIS result is
// no list, and an entity of that name is left out.
func appendTo(m map[string]any, key string, v any) {
	list, ok := m[key].([]any)
	if !ok && m[key] != nil {
		return
	}
	m[key] = append(list, v)
}

// uuid makes a random identifier of version 4.
func uuid() string {
	var b [16]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
