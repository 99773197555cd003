package cli_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/loquat-dev/loquat/internal/cli"
)

func TestMain(m *testing.M) {
	run := func() {
		os.Exit(cli.Run(os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}
	testscript.Main(m, map[string]func(){"loquat": run, "rasa": run})
}

// TestCommands runs the scripts in testdata against the real command line.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata", RequireExplicitExec: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"conversations": storeConversations},
	})
}
