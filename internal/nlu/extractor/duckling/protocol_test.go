package duckling

import (
	"encoding/json"
	"testing"
)

// Whatever a server answers, entities lie in the text and have JSON.
func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		`[]`, `[{"body":"5","start":0,"end":1,"dim":"number","latent":false,"value":{"type":"value","value":5}}]`,
		`[{"start":0,"end":3,"dim":"time","value":{"type":"interval","from":{"value":"a"},"to":null}}]`,
		`[{"start":-1,"end":1e3,"dim":"","value":null}]`, `{}`, `[[[`, `[{"start":0,"end":1,"dim":"x","value":{"value":1e999}}]`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		const length = 5
		found, err := readAnswer(body)
		if err != nil {
			return
		}
		entities, _ := (&Extractor{}).entities(found, length)
		for _, e := range entities {
			if e.Start < 0 || e.End < e.Start || e.End > length || e.Entity == "" {
				t.Errorf("%s: %+v", body, e)
			}
			if _, err := json.Marshal([]any{e.Value, e.Extra}); err != nil {
				t.Errorf("%s: %v", body, err)
			}
		}
	})
}
