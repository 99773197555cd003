package cli

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Annotations of flags, mostly of those that take arguments the way Rasa's command
// line does.
const (
	takesList     = "takes-list"     // --data a b c
	takesOptional = "takes-optional" // --finetune, or --finetune models/x.tar.gz
	ofMarkers     = "of-markers"     // --config names markers, not the project's config.yml
)

// expandArgs rewrites arguments that Rasa's command line accepts and pflag
// doesn't: several values after one flag become the flag repeated, and an
// optional value is joined to its flag.
func expandArgs(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil {
		return args
	}
	var out []string
	for i := 0; i < len(args); i++ {
		out = append(out, args[i])
		if args[i] == "--" {
			return append(out, args[i+1:]...)
		}
		flag := lookUp(cmd, args[i])
		switch {
		case flag == nil:
		case flag.Annotations[takesOptional] != nil && i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"):
			i++
			out[len(out)-1] = "--" + flag.Name + "=" + args[i]
		case flag.Annotations[takesList] != nil:
			for first := true; i+1 < len(args) && !strings.HasPrefix(args[i+1], "-"); first = false {
				i++
				if !first {
					out = append(out, "--"+flag.Name)
				}
				out = append(out, args[i])
			}
		case flag.NoOptDefVal == "" && i+1 < len(args):
			i++ // its one value, which may look like a flag's
			out = append(out, args[i])
		}
	}
	return out
}

// lookUp finds the flag that an argument of the form --name or -x names.
func lookUp(cmd *cobra.Command, arg string) *pflag.Flag {
	switch {
	case strings.HasPrefix(arg, "--"):
		if f := cmd.Flags().Lookup(arg[2:]); f != nil {
			return f
		}
		return cmd.InheritedFlags().Lookup(arg[2:])
	case len(arg) == 2 && arg[0] == '-' && arg[1] != '-':
		return cmd.Flags().ShorthandLookup(arg[1:])
	default:
		return nil
	}
}

// annotate marks a flag with one of the annotations above.
func annotate(flags *pflag.FlagSet, name, annotation string) {
	if err := flags.SetAnnotation(name, annotation, []string{"true"}); err != nil {
		panic(err) // the flag was defined one line before
	}
}
