package tracing

import (
	"context"
	"path/filepath"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

// Training describes one training for its spans.
type Training struct {
	Type       string // NLU, CORE, BOTH or END-TO-END
	Language   string
	Recipe     string
	Output     string // path of the archive as it will be written; "" for a model in memory
	Finetuning bool

	// Results, to be filled in before the span ends.
	ModelID string
	Size    int64 // bytes of the archive
}

// modelTypes gives the name that Rasa's code has for a type of training.
var modelTypes = map[string]string{"NLU": "nlu", "CORE": "core", "BOTH": "rasa", "END-TO-END": "rasa"}

// TrainCommand starts the outermost span of a training. fingerprint identifies
// the project; it may be empty. The returned function takes how it ended, for
// example "trained" or "unchanged"; an error counts as "error".
func (t *Tracing) TrainCommand(ctx context.Context, fingerprint string) (context.Context, func(outcome string, err error)) {
	if t == nil {
		return ctx, func(string, error) {}
	}
	ctx, span := t.start(ctx, spanTrain, trace.SpanKindInternal)
	if fingerprint != "" {
		span.SetAttributes(attrFingerprint.String(fingerprint))
	}
	return ctx, func(outcome string, err error) {
		if err != nil {
			outcome = "error"
		}
		span.SetAttributes(attrTrainingOutcome.String(outcome))
		t.fail(span, err)
		span.End()
	}
}

// TestCommand starts the outermost span of a test that trains models. The returned
// function takes the error that it ended with.
func (t *Tracing) TestCommand(ctx context.Context) (context.Context, func(error)) {
	return t.test(ctx, spanTestNLU)
}

// TestCoreCommand starts the outermost span of a test that plays stories. The
// returned function takes the error that it ended with.
func (t *Tracing) TestCoreCommand(ctx context.Context) (context.Context, func(error)) {
	return t.test(ctx, spanTestCore)
}

func (t *Tracing) test(ctx context.Context, name string) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.start(ctx, name, trace.SpanKindInternal)
	return ctx, func(err error) {
		t.fail(span, err)
		span.End()
	}
}

// GraphTrainer starts the span of running the train graph.
func (t *Tracing) GraphTrainer(ctx context.Context, training *Training) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.start(ctx, spanGraphTrainer, trace.SpanKindInternal)
	return ctx, func(err error) {
		span.SetAttributes(
			attrTrainingType.String(training.Type),
			attrLanguage.String(orNone(training.Language)),
			attrRecipe.String(training.Recipe),
			attrFinetuning.Bool(training.Finetuning),
			attrModelType.String(modelTypes[training.Type]),
		)
		if training.Output != "" {
			span.SetAttributes(attrOutputFilename.String(training.Output), attrModelFile.String(filepath.Base(training.Output)))
		}
		if training.ModelID != "" {
			span.SetAttributes(attrModelID.String(training.ModelID))
		}
		t.fail(span, err)
		span.End()
	}
}

// Package starts the span of writing the archive.
func (t *Tracing) Package(ctx context.Context, training *Training) (context.Context, func(error)) {
	if t == nil {
		return ctx, func(error) {}
	}
	ctx, span := t.start(ctx, spanPackage, trace.SpanKindInternal)
	return ctx, func(err error) {
		attributes := []attribute.KeyValue{
			attrOutputFilename.String(training.Output),
			attrModelFile.String(filepath.Base(training.Output)),
		}
		if err == nil {
			attributes = append(attributes, attrFileSize.Int64(training.Size))
		}
		span.SetAttributes(attributes...)
		t.fail(span, err)
		span.End()
	}
}
