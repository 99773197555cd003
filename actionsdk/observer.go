package actionsdk

import "context"

// StepName names a part of a request.
type StepName string

// The steps of a request, outermost first.
const (
	StepRequest  StepName = "request"  // all of it
	StepRun      StepName = "run"      // the action
	StepValidate StepName = "validate" // the validation of a form or of slots
	StepExtract  StepName = "extract"  // the extraction of slots, in a validation
	StepRespond  StepName = "respond"  // the answer of an action that worked
)

// Step is one run of a step. What is known at its start is set before the
// Observer sees it; Events, and Tracker of a request, may be set by its end.
type Step struct {
	Name    StepName
	Action  string
	Tracker *Tracker

	Transport string                   // StepRequest: "http" or "grpc"
	Method    string                   // StepRequest over gRPC: "webhook" or "webhook_stream"
	Header    func(name string) string // StepRequest: headers or metadata, for the trace context
	Version   string                   // StepRequest: of the assistant, once it is read
	Handled   bool                     // StepRequest: the action ran and its answer was sent

	Form      bool        // StepValidate, StepExtract: whether it is of a form
	Class     string      // StepValidate, StepExtract
	Slots     []string    // StepValidate: names of the slots that are to be validated
	Events    []Event     // StepRespond; StepExtract at its end
	Responses []Utterance // StepRespond
}

// Observer watches the steps of requests, for instance to make spans. Begin is
// called as a step starts; it returns the context that the step runs in and a
// function that is called when it ends, with its error or nil. An Observer never
// changes a result and is safe for concurrent use.
type Observer interface {
	Begin(ctx context.Context, step *Step) (context.Context, func(err error))
}

func (s *Server) step(ctx context.Context, step *Step, run func(context.Context) error) error {
	if s.Observer == nil {
		return run(ctx)
	}
	ctx, end := s.Observer.Begin(ctx, step)
	err := run(ctx)
	end(err)
	return err
}

// Observe runs a request that came by another way than HTTP as a step of its own,
// for packages that serve other protocols.
func (s *Server) Observe(ctx context.Context, step *Step, run func(context.Context) error) error {
	return s.step(ctx, step, run)
}
