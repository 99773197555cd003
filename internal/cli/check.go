package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// lowest has the smallest value of each flag that takes a number.
var lowest = map[string]float64{
	"augmentation":           0,
	"folds":                  2,
	"keep-days":              1,
	"lines":                  0,
	"max-history":            0,
	"num-threads":            0,
	"response-timeout":       1,
	"runs":                   1,
	"validation-max-history": 0,
}

// checkFlags refuses what a flag's type allows and its meaning doesn't: numbers
// out of range, and files that were asked for and don't exist. Files that a flag
// names by default may be missing.
func checkFlags(flags *pflag.FlagSet) error {
	var failed error
	flags.Visit(func(f *pflag.Flag) {
		if failed == nil {
			failed = checkFlag(f)
		}
	})
	return failed
}

func checkFlag(f *pflag.Flag) error {
	value := f.Value.String()
	if least, ok := lowest[f.Name]; ok {
		if n, err := strconv.ParseFloat(value, 64); err != nil || !(n >= least) || math.IsInf(n, 1) {
			return usageError{fmt.Errorf("--%s must be at least %v, not %s", f.Name, least, value)}
		}
	}
	switch f.Name {
	case "port":
		return checkPort(value, 65535)
	case "epoch-fraction":
		if n, err := strconv.ParseFloat(value, 64); err != nil || !(n > 0) || math.IsInf(n, 1) {
			return usageError{fmt.Errorf("--epoch-fraction must be greater than 0, not %s: in no epochs nothing is learned", value)}
		}
	case "fixed-model-name":
		if strings.ContainsAny(value, `/\`) || value == "" {
			return usageError{fmt.Errorf("--fixed-model-name is a name without folders, not %q; the folder is set by --out", value)}
		}
	case "nlu": // elsewhere a list of files, which is judged when it is read
		if f.Value.Type() != "string" {
			break
		}
		fallthrough
	case "endpoints", "credentials":
		if _, err := os.Stat(value); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("--%s: there is no file or folder %s", f.Name, value)
			}
			return fmt.Errorf("--%s: %w", f.Name, err)
		}
	}
	return nil
}

// checkPort refuses what is no port up to the last one.
func checkPort(value string, last int) error {
	if n, err := strconv.Atoi(value); err != nil || n < 0 || n > last {
		return usageError{fmt.Errorf("--port must be from 0 to %d, not %s", last, value)}
	}
	return nil
}

// countArguments makes wrong arguments of a command, and of those below it,
// errors of usage that say which ones the command takes.
func countArguments(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			err := check(cmd, args)
			if _, takes, ok := strings.Cut(cmd.Use, " "); err != nil && ok {
				err = fmt.Errorf("%s takes %s, not %s", cmd.CommandPath(), takes, count(len(args), "argument"))
			}
			if err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, below := range cmd.Commands() {
		countArguments(below)
	}
}
