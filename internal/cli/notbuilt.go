package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// errNotBuilt names something that Rasa has and Loquat hasn't, and what to do.
func errNotBuilt(what, instead string) error {
	return fmt.Errorf("%s is not built yet; %s", what, instead)
}

// notBuilt are the commands of Rasa that are known and not built, with what to do
// meanwhile. They are not in the help.
var notBuilt = map[string]string{
	"export":  "an event broker of type file gets every event as it happens",
	"inspect": `"loquat shell --trace" shows what each message causes`,
	"studio":  "there is no connection to Rasa Studio",
	"llm":     "flows (CALM) are not built",
	"x":       "Rasa X is a product of its own",
}

// addNotBuilt adds commands that only say that they are not built.
func addNotBuilt(parent *cobra.Command, commands map[string]string) {
	for name, instead := range commands {
		parent.AddCommand(&cobra.Command{
			Use: name, Hidden: true, DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, _ []string) error { return errNotBuilt(cmd.CommandPath(), instead) },
		})
	}
}

// notBuiltFlags are the flags of Rasa that are known and not built, by the command
// that they belong to, "" for every command, with what to do meanwhile.
var notBuiltFlags = map[string]map[string]string{
	"": {
		"logging-config-file": "choose the level with -v, -vv or --quiet",
	},
	"run": {
		"use-syslog":      syslogInstead,
		"syslog-address":  syslogInstead,
		"syslog-port":     syslogInstead,
		"syslog-protocol": syslogInstead,
		"request-timeout": "--response-timeout bounds how long a request may take",
	},
	"shell": {
		"request-timeout":  "the shell waits until a turn ends",
		"response-timeout": "the shell waits until a turn ends",
		"credentials":      shellInstead,
		"connector":        shellInstead,
		"enable-api":       shellInstead,
		"interface":        shellInstead,
		"i":                shellInstead,
		"port":             shellInstead,
		"p":                shellInstead,
		"auth-token":       shellInstead,
		"t":                shellInstead,
		"cors":             shellInstead,
		"log-file":         "redirect stderr: 2>bot.log",
	},
}

const (
	syslogInstead = "pipe the log into the system's own: 2>&1 | logger"
	shellInstead  = `the shell talks to the bot without a server; serve it with "run"`
)

// flagError is the error of a flag that was used wrongly: one that Rasa has and
// Loquat hasn't is named as such.
func flagError(cmd *cobra.Command, err error) error {
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usageError{valueError(invalid)}
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usageError{err}
	}
	name := unknown.GetSpecifiedName()
	dashed := "--" + name
	if len(name) == 1 {
		dashed = "-" + name
	}
	for _, of := range []string{cmd.Name(), ""} {
		if instead, ok := notBuiltFlags[of][name]; ok {
			return usageError{errNotBuilt(cmd.CommandPath()+" "+dashed, instead)}
		}
	}
	return usageError{err}
}

// valueError says what a flag takes, in the words of who typed it.
func valueError(invalid *pflag.InvalidValueError) error {
	wants := map[string]string{
		"int": "a whole number", "int64": "a whole number", "uint32": "a whole number from 0 to 4294967295", "float64": "a number", "bool": "true or false",
		"duration": "a time, such as 20s or 1m30s",
	}
	want, ok := wants[invalid.GetFlag().Value.Type()]
	if !ok {
		return invalid
	}
	return fmt.Errorf("--%s must be %s, not %q", invalid.GetFlag().Name, want, invalid.GetValue())
}

// newLicenseCommand answers scripts that look at Rasa's licence.
func newLicenseCommand(env *environment) *cobra.Command {
	return &cobra.Command{
		Use: "license", Short: "No licence key is needed", Hidden: true, DisableFlagParsing: true,
		RunE: func(*cobra.Command, []string) error {
			fmt.Fprintln(env.Out, "No licence key is needed: Loquat is free software under the Apache License 2.0.")
			return nil
		},
	}
}

// addAlias gives a flag that takes a list a second name.
func addAlias(flags *pflag.FlagSet, name, shorthand, of string) {
	target := flags.Lookup(of)
	flags.VarP(target.Value, name, shorthand, target.Usage)
	annotate(flags, name, takesList)
}
