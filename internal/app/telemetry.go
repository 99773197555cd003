package app

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/telemetry"
	"github.com/loquat-dev/loquat/internal/training"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// TelemetrySettings are those of this machine, user and project, whose switches are in the files.
func TelemetrySettings(files ...string) telemetry.Settings {
	return telemetry.SystemSettings(func() string { return training.Remote(".") }, files...)
}

// trainingStarted describes a project whose configuration is complete.
func trainingStarted(p *project.Project, part TrainPart, finetuning bool) telemetry.TrainingStarted {
	c := p.Config
	language, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(c.Language), "_", "-"), "-") // "pt" of "pt_BR"
	schema := func(key string) telemetry.GraphSchema {
		if c.Root.Get(key).IsNull() {
			return telemetry.Named[telemetry.GraphSchema]("None")
		}
		return telemetry.Named[telemetry.GraphSchema]("custom")
	}
	return telemetry.TrainingStarted{
		TrainingID: telemetry.NewID(), Type: trainingType(part), IsFinetuning: finetuning,
		Language: telemetry.NamedOrNull[telemetry.Language](language), Recipe: telemetry.Named[telemetry.Recipe](cmp.Or(c.Recipe, "None")),
		Pipeline: items(c.Pipeline), Policies: items(c.Policies), TrainSchema: schema("train_schema"), PredictSchema: schema("predict_schema"),
		NLUSize: telemetry.NLUSize(p.NLUStatistics()), ProjectSize: telemetry.ProjectSize(p.Statistics()),
	}
}

func trainingType(part TrainPart) telemetry.TrainingType {
	return telemetry.Named[telemetry.TrainingType](map[TrainPart]string{TrainNLU: "nlu", TrainCore: "core"}[part])
}

// items names the components of a section. Of their settings, only the language
// model's are looked at.
func items(s project.Section) telemetry.List[telemetry.Item] {
	var out telemetry.List[telemetry.Item]
	for _, i := range s.Items {
		item := telemetry.Item{Name: telemetry.Named[telemetry.Component](i.Name)}
		if llm := i.Param("llm"); llm != nil && llm.Kind == yamlfile.Map {
			text := func(key string) string { return llm.Get(key).TextOrEmpty() }
			item.LLM = &telemetry.LLM{
				Provider:  telemetry.NamedOrNull[telemetry.Provider](text("provider")),
				ModelName: telemetry.NamedOrNull[telemetry.Model](text("model_name")),
				Model:     telemetry.NamedOrNull[telemetry.Model](text("model")),
			}
			if timeout := llm.Get("request_timeout"); timeout != nil && timeout.Kind == yamlfile.Int {
				item.LLM.RequestTimeout = new(max(0, int(timeout.Int())))
			}
		}
		out = append(out, item)
	}
	return out
}

// reportValidation records what the validation before a training found.
func (o TrainOptions) reportValidation(err error) {
	if o.ReportsValidation && !o.SkipValidation && (err == nil || IsProblem(err)) {
		o.Telemetry.Record(telemetry.TrainingDataValidated{Success: err == nil})
	}
}

// reportTraining records the beginning of a training and returns what records
// its end.
func reportTraining(r *telemetry.Recorder, p *project.Project, part TrainPart, finetuning bool) (end func(error)) {
	if r == nil {
		return func(error) {}
	}
	started, begun := trainingStarted(p, part, finetuning), time.Now()
	r.Record(started)
	return func(err error) {
		took := int(time.Since(begun).Seconds())
		switch {
		case err == nil:
			r.Record(telemetry.TrainingCompleted{TrainingID: started.TrainingID, Type: started.Type, Runtime: took})
		case !errors.Is(err, context.Canceled):
			r.Record(telemetry.TrainingFailed{TrainingID: started.TrainingID, Type: started.Type, Runtime: took, ErrorCode: ErrorCode(err)})
		}
	}
}

func modelTested(data *nludata.TrainingData) telemetry.ModelNLUTested {
	return telemetry.ModelNLUTested{NLUSize: telemetry.NLUSize(project.CountNLU(data))}
}

func dataSplit(fraction float64) telemetry.TrainingDataSplit {
	return telemetry.TrainingDataSplit{Fraction: telemetry.RatioOf(fraction), Type: trainingType(TrainNLU)}
}

func dataConverted(format string) telemetry.TrainingDataConverted {
	return telemetry.TrainingDataConverted{OutputFormat: telemetry.Named[telemetry.DataFormat](format), Type: trainingType(TrainNLU)}
}

// serverStarted describes a server by the types of what it is connected to.
func serverStarted(o ServeOptions, channels []string, trainedIn *telemetry.Hash) telemetry.ServerStarted {
	var unused diag.List // said by those who need the file
	e := project.ReadEndpoints(o.Endpoints, o.Endpoints, &unused)
	event := telemetry.ServerStarted{
		APIEnabled: o.EnableAPI, NumberOfWorkers: 1, NLG: backend(e.NLG), NLU: backend(e.NLU), ActionServer: backend(e.Action),
		ModelServer: backend(e.Models), TrackerStore: backend(e.TrackerStore), LockStore: backend(e.LockStore), EventBroker: backend(e.EventBroker),
		Tracing: telemetry.NamedOrNull[telemetry.Tracing](typeOf(e.Root.Get("tracing"))),
		Metrics: telemetry.NamedOrNull[telemetry.Metrics](typeOf(e.Root.Get("metrics"))), Project: trainedIn,
	}
	for _, name := range channels {
		event.InputChannels = append(event.InputChannels, telemetry.Named[telemetry.Channel](name))
	}
	slices.SortFunc(event.InputChannels, func(a, b telemetry.Channel) int { return strings.Compare(a.String(), b.String()) })
	event.InputChannels = slices.Compact(event.InputChannels)
	return event
}

// ReportShell records that a conversation in the terminal begins, which is a server
// with one channel, as in Rasa 3.6; a model that says nothing is none.
func (a *Assistant) ReportShell(r *telemetry.Recorder, o ServeOptions) {
	if r == nil {
		return
	}
	r.Record(shellStarted(a.Predicts()))
	if a.Predicts() {
		r.Record(serverStarted(o, []string{"cmdline"}, r.ProjectHash(a.fingerprint)))
	}
}

func shellStarted(predicts bool) telemetry.ShellStarted {
	part := TrainNLU
	if predicts {
		part = TrainBoth
	}
	return telemetry.ShellStarted{Type: trainingType(part)}
}

// reportCoreTested records that stories were tested with a model, which knows the
// fingerprint of its project. steps are the blocks of the test stories.
func reportCoreTested(r *telemetry.Recorder, fingerprint *string, steps int, endToEnd bool) {
	r.Record(telemetry.ModelCoreTested{Project: r.ProjectHash(fingerprint), NumStorySteps: steps, EndToEnd: endToEnd})
}

func backend(e *project.Endpoint) *telemetry.Backend {
	if e == nil {
		return nil
	}
	return telemetry.NamedOrNull[telemetry.Backend](strings.ToLower(e.Type)) // "SQL" and "sql" are the same
}

// typeOf is the type of a section, or of the first of several.
func typeOf(section *yamlfile.Node) string {
	if section != nil && section.Kind == yamlfile.List && len(section.Items) > 0 {
		section = section.Items[0]
	}
	return section.Get("type").TextOrEmpty()
}

// errorCodes are the kinds of errors that have no code in docs/problems.md.
var errorCodes = []struct {
	is   error
	code string
}{
	{model.ErrNone, "no-model"},
	{training.ErrNothing, "nothing-to-train"},
	{syscall.ENOSPC, "disk-full"},
	{syscall.EADDRINUSE, "address-in-use"},
	{fs.ErrNotExist, "missing-path"},
	{fs.ErrPermission, "no-permission"},
	{context.DeadlineExceeded, "timeout"},
	{os.ErrDeadlineExceeded, "timeout"},
}

// ErrorCode gives the kind of an error, from a closed list, and nothing of its
// text.
func ErrorCode(err error) telemetry.ErrorCode {
	for _, p := range diag.Of(err) {
		if p.Severity == diag.Error {
			return telemetry.Named[telemetry.ErrorCode](string(p.Code))
		}
	}
	for _, known := range errorCodes {
		if errors.Is(err, known.is) {
			return telemetry.Named[telemetry.ErrorCode](known.code)
		}
	}
	return telemetry.Named[telemetry.ErrorCode]("other")
}

// completed is a project with its configuration as a training would see it.
func completed(p *project.Project, part TrainPart) *project.Project {
	var unused diag.List
	kind, ok := recipe.Decide(p)
	switch part {
	case TrainNLU:
		kind, ok = recipe.NLU, true
	case TrainCore:
		kind, ok = recipe.Core, true
	}
	if !ok || !p.Sound.Config {
		return p
	}
	out := *p
	out.Config, _ = recipe.Complete(p.Config, kind, &unused)
	return &out
}

// IsProblem reports whether an error is about what a project says.
func IsProblem(err error) bool { return len(diag.Of(err)) > 0 }
