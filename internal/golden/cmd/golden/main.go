// Command golden compares this engine with recordings of Rasa 3.6.21 and prints a
// line for each file of them.
//
//	golden [-program bin/loquat] [folder of recordings]
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func main() {
	program := flag.String("program", filepath.Join("bin", "loquat"), "the `file` of the program that answers over HTTP")
	only := flag.String("only", "", "compare only files whose name contains this `text`")
	flag.Parse()
	if err := run(*program, *only, flag.Arg(0)); err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
}

func run(program, only, dir string) error {
	if dir == "" {
		found, ok := sharedtest.Find("data", "golden")
		if !ok {
			return fmt.Errorf("there are no recordings at %s; name their folder, or set LOQUAT_SHARED", found)
		}
		dir = found
	}
	program, err := filepath.Abs(program)
	if err != nil {
		return err
	}
	checks, err := golden.All(dir, golden.Program{Path: program})
	if err != nil {
		return err
	}
	equal, listed, different := 0, 0, 0
	for _, c := range checks {
		if !strings.Contains(c.File, only) {
			continue
		}
		r := c.Run(dir)
		fmt.Println(r)
		equal, listed, different = equal+r.Equal, listed+r.Listed, different+r.Different
		if r.Different == 0 && r.First != "" {
			different++
		}
	}
	fmt.Printf("%d equal, %d listed in docs/compatibility.md, %d different\n", equal, listed, different)
	if different > 0 {
		return fmt.Errorf("%d differences without an explanation", different)
	}
	return nil
}
