package app

import (
	"context"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/marker"
	"github.com/loquat-dev/loquat/internal/model"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// Previewed is an event that would be reported for a project.
type Previewed struct {
	Event telemetry.Event
	Note  string // what in it is only known when it happens; may be empty
}

// PreviewTelemetry makes the events of the catalogue, by name, for the project in the
// working directory, as its commands with their default flags would record them.
func PreviewTelemetry(ctx context.Context, o TrainOptions, hash func(*string) *telemetry.Hash) (map[string]Previewed, error) {
	validated, err := Validate(ctx, ValidateOptions{Paths: o.Paths, Logger: o.Logger})
	if err != nil {
		return nil, err
	}
	var unused diag.List // in validated
	p := project.Load("", o.Paths.project(), &unused)
	serve := ServeOptions{Model: "models", Endpoints: o.Endpoints, Credentials: "credentials.yml", Logger: o.Logger}
	started := trainingStarted(completed(p, o.Part), o.Part, false)
	failed := telemetry.ErrorEncountered{
		Command: telemetry.Named[telemetry.Command]("train"), ErrorCode: ErrorCode(diag.Problems(validated.Problems)), Stage: telemetry.Named[telemetry.Stage]("load"),
	}
	example := ""
	if validated.OK {
		example = "an example: a training of this project meets no error"
	}
	predicts := true
	var fingerprint *string
	if file, err := model.Find(serve.Model); err == nil {
		if m, err := model.Read(file); err == nil {
			fingerprint, predicts = m.ProjectFingerprint, m.CoreTarget != nil
		}
	}
	channels, _ := readChannels(serve) // run would end with this error
	steps := len(project.LoadStories("data", p.Domain, false, &unused).Blocks)
	const read = "trackers_count is that of the conversations that are read"
	return map[string]Previewed{
		"Training Started":             {started, ""},
		"Training Completed":           {telemetry.TrainingCompleted{TrainingID: started.TrainingID, Type: started.Type}, "runtime is the time that the training takes, in seconds"},
		"Training Failed":              {telemetry.TrainingFailed{TrainingID: started.TrainingID, Type: started.Type}, "runtime and error_code are those of the failure"},
		"Training Data Validated":      {telemetry.TrainingDataValidated{Success: validated.OK}, ""},
		"Training Data Split":          {dataSplit(trainingShare), ""},
		"Training Data Converted":      {dataConverted("yaml"), ""},
		"Model NLU Tested":             {modelTested(p.NLU), "the test data are those in the folder data"},
		"Server Started":               {serverStarted(serve, channelNames(channels), hash(fingerprint)), ""},
		"Shell Started":                {shellStarted(predicts), ""},
		"Model Core Tested":            {telemetry.ModelCoreTested{Project: hash(fingerprint), NumStorySteps: steps}, "the stories are those in the folder data"},
		"Interactive Learning Started": {telemetry.InteractiveLearningStarted{}, ""},
		"Story Visualization Started":  {telemetry.StoryVisualizationStarted{}, ""},
		"Markers Extraction Initiated": {MarkerOptions{Strategy: AllConversations, Statistics: "stats"}.initiated(), ""},
		"Markers Parsed":               {markersParsed(marker.Read("markers.yml", &unused)), "the markers are those in markers.yml"},
		"Markers Extracted":            {telemetry.MarkersExtracted{}, read},
		"Markers Statistics Computed":  {telemetry.MarkersStatisticsComputed{}, read},
		"Project Created":              {projectCreated(), ""},
		"Error Encountered":            {failed, example},
		"Telemetry Disabled":           {telemetry.TelemetryDisabled{}, "written to the local log, never sent"},
	}, nil
}

func projectCreated() telemetry.ProjectCreated {
	return telemetry.ProjectCreated{Template: telemetry.Named[telemetry.Template]("default")}
}

// ReportParserStarted records that shell nlu begins.
func ReportParserStarted(r *telemetry.Recorder) { r.Record(shellStarted(false)) }

// ReportProjectCreated records that init makes a project.
func ReportProjectCreated(r *telemetry.Recorder) { r.Record(projectCreated()) }
