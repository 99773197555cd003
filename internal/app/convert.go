package app

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/evaluate"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/telemetry"
)

// Formats of NLU data.
const (
	NLUInJSON = "json"
	NLUInYAML = "yaml"
)

// ConvertNLUOptions are the options of data convert nlu.
type ConvertNLUOptions struct {
	Data   []string // files or folders
	Format string   // NLUInJSON or NLUInYAML
	Out    string   // file

	Logger    *slog.Logger
	Telemetry *telemetry.Recorder // may be nil
}

// ConvertNLU reads NLU data in all formats and writes them to one file. It returns
// how many examples there are.
func ConvertNLU(o ConvertNLUOptions) (examples int, warnings []diag.Problem, err error) {
	var problems diag.List
	defer func() { warnings = problems.Warnings() }()
	data := project.LoadNLU("", o.Data, &problems)
	if err := problems.Err(); err != nil {
		return 0, nil, err
	}
	if len(data.Examples) == 0 {
		return 0, nil, fmt.Errorf("there are no NLU examples at %v; name files or folders with NLU data: --data", o.Data)
	}
	if info, err := os.Stat(o.Out); err == nil && info.IsDir() {
		return 0, nil, fmt.Errorf("%s is a folder; name the file to write: --out", o.Out)
	}
	var contents []byte
	if o.Format == NLUInJSON {
		if len(data.Responses) > 0 {
			o.Logger.Warn("JSON has no place for responses; they are left out", "responses", len(data.Responses))
		}
		contents, err = data.JSON()
	} else {
		var implied []string
		if contents, implied, err = data.Whole(); len(implied) > 0 {
			o.Logger.Warn("in YAML, annotations with a value define synonyms", "synonyms", len(implied))
		}
	}
	if err != nil {
		return 0, nil, err
	}
	if err := evaluate.WriteFile(o.Out, contents); err != nil {
		return 0, nil, err
	}
	o.Telemetry.Record(dataConverted(o.Format))
	return len(data.Examples), nil, nil
}
