// Command loquat trains and serves conversational assistants from Rasa projects.
package main

import (
	"os"

	"github.com/loquat-dev/loquat/internal/cli"
)

func main() {
	os.Exit(cli.Run(os.Args, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
