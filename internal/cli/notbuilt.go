package cli

import (
	"fmt"

	"github.com/spf13/pflag"
)

// errNotBuilt names something that Rasa has and Loquat hasn't, and what to do.
func errNotBuilt(what, instead string) error {
	return fmt.Errorf("%s is not built yet; %s", what, instead)
}

// addAlias gives a flag that takes a list a second name.
func addAlias(flags *pflag.FlagSet, name, shorthand, of string) {
	target := flags.Lookup(of)
	flags.VarP(target.Value, name, shorthand, target.Usage)
	annotate(flags, name, takesList)
}
