package httpapi

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/evaluate"
)

func TestStoriesAreTested(t *testing.T) {
	play := func(_ context.Context, body []byte, endToEnd bool) (*evaluate.StoryTests, error) {
		switch string(body) {
		case "wrong":
			return nil, diag.Problem{Code: "invalid-yaml", Message: "the list has no end"}
		case "broken":
			return nil, errors.New("the secret place")
		}
		return &evaluate.StoryTests{EndToEnd: endToEnd, Actions: []evaluate.ActionPrediction{{Action: "utter_hi", Predicted: "utter_hi", Policy: "RulePolicy", Confidence: 1}}}, nil
	}
	s := newServer(t, func(s *Settings) { s.PlayStories, s.Host = play, &bench{domain: &domain.Domain{}} })
	for _, c := range []struct {
		query, body string
		status      int
		want        string
	}{
		{"", "stories", 200, `"precision":1.0,"f1":1.0,"accuracy":1.0,"actions":[{"action":"utter_hi","predicted":"utter_hi","policy":"RulePolicy","confidence":1.0}],"in_training_data_fraction":0.0,"is_end_to_end_evaluation":false}`},
		{"?e2e=true", "stories", 200, `"is_end_to_end_evaluation":true}`},
		{"", "", 400, "You must provide some stories in the request body"},
		{"", "wrong", 400, "The request body does not contain valid stories. Error: the list has no end"},
		{"", "broken", 500, "the server's log has the details"},
	} {
		status, body := ask(t, s, "POST", "/model/test/stories"+c.query, c.body, "Content-Type", asYAML)
		if status != c.status || !strings.Contains(body, c.want) || strings.Contains(body, "secret") {
			t.Errorf("%s %q: %d %s\nwant %d and %s", c.query, c.body, status, body, c.status, c.want)
		}
	}
	without := newServer(t, func(s *Settings) { s.PlayStories, s.Host = play, &bench{} })
	if status, body := ask(t, without, "POST", "/model/test/stories", "stories"); status != 409 {
		t.Errorf("without a model: %d %s", status, body)
	}
}
