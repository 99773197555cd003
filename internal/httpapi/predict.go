package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/loquat-dev/loquat/internal/conversation"
	"github.com/loquat-dev/loquat/internal/httpio"
	"github.com/loquat-dev/loquat/internal/tracker"
)

// predict serves POST /conversations/{id}/predict: scores by probability, then by
// name.
func (s *Server) predict(w http.ResponseWriter, r *http.Request, a Assistant, id string) {
	f, err := a.Forecast(r.Context(), id)
	if err != nil {
		s.conversationError(w, r, id, err)
		return
	}
	scores := scoresOf(f)
	slices.SortStableFunc(scores, func(a, b score) int {
		return cmp.Or(cmp.Compare(b.probability, a.probability), cmp.Compare(a.action, b.action))
	})
	writeForecast(w, f, scores, tracker.AfterRestart)
}

// predictEvents serves POST /model/predict: scores in the order of the domain's
// actions.
func (s *Server) predictEvents(w http.ResponseWriter, r *http.Request, a Assistant) {
	verbosity, ok := s.verbosity(w, r)
	if !ok {
		return
	}
	events, problem := s.postedEvents(w, r)
	if problem != nil {
		s.refuse(w, *problem)
		return
	}
	if events == nil {
		return
	}
	f, err := a.ForecastEvents(r.Context(), "default", events)
	if err != nil {
		s.conversationError(w, r, "default", err)
		return
	}
	writeForecast(w, f, scoresOf(f), verbosity)
}

// postedEvents reads a list of events; without one and without a problem, the
// request is answered.
func (s *Server) postedEvents(w http.ResponseWriter, r *http.Request) ([]tracker.Event, *problem) {
	var body json.RawMessage
	err := httpio.ReadJSON(w, r, maxBody, &body)
	if bad, ok := errors.AsType[*httpio.BadRequest](err); ok {
		httpio.Refuse(w, r, bad)
		return nil, nil
	}
	if err == nil && !isList(body) {
		return nil, &problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Supplied events are not valid. The body is no list.", Details: parameter("", "body"),
		}
	}
	events := []tracker.Event{}
	if err == nil {
		events, err = decodeEvents(body)
	}
	if errors.Is(err, io.EOF) {
		err = errors.New("there is no list of events")
	}
	if err != nil {
		return nil, &problem{
			Status: http.StatusBadRequest, Reason: "BadRequest",
			Message: "Failed to validate the events format. Error: " + err.Error(),
		}
	}
	return events, nil
}

func isList(data json.RawMessage) bool { return len(data) > 0 && data[0] == '[' }

// score is the probability of one action.
type score struct {
	action      string
	probability float64
}

func scoresOf(f *conversation.Forecast) []score {
	scores := make([]score, len(f.Probabilities))
	for i, p := range f.Probabilities {
		scores[i] = score{f.Actions[i], p}
	}
	return scores
}

func writeForecast(w http.ResponseWriter, f *conversation.Forecast, scores []score, verbosity tracker.Verbosity) {
	list := make([]any, len(scores))
	for i, s := range scores {
		list[i] = map[string]any{"action": s.action, "score": s.probability}
	}
	var policy any
	if f.Policy != "" {
		policy = f.Policy
	}
	out := tracker.AppendValue([]byte(`{"scores":`), list)
	out = tracker.AppendValue(append(out, `,"policy":`...), policy)
	out = tracker.AppendValue(append(out, `,"confidence":`...), f.Confidence)
	out = append(append(out, `,"tracker":`...), f.Tracker.AppendState(nil, verbosity)...)
	httpio.WriteEncoded(w, http.StatusOK, append(out, '}'))
}
