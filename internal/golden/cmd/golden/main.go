// Command golden compares this engine with the recordings of Rasa 3.6.21: a line
// for each file says how much is equal, what differs first, and what is not
// covered yet. The exit code is 1 when something differs without an explanation in
// docs/compatibility.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/loquat-dev/loquat/internal/golden"
	"github.com/loquat-dev/loquat/internal/sharedtest"
)

func main() {
	binary := flag.String("binary", "bin/loquat", "the program under test")
	flag.Parse()
	dir, ok := sharedtest.Find("data", "golden")
	if !ok {
		fmt.Printf("skipped: no recordings at %s\n", dir)
		return
	}
	different, err := compare(dir, *binary)
	if err != nil {
		fmt.Fprintln(os.Stderr, "golden:", err)
		os.Exit(1)
	}
	if different > 0 {
		fmt.Printf("%d files differ\n", different)
		os.Exit(1)
	}
}

func compare(dir, binary string) (different int, err error) {
	binary, err = filepath.Abs(binary)
	if err != nil {
		return 0, err
	}
	checks, err := golden.All(dir, golden.Program{Path: binary})
	if err != nil {
		return 0, err
	}
	for _, c := range checks {
		report := c.Run(dir)
		fmt.Println(report)
		if !report.OK() {
			different++
		}
	}
	return different, nil
}
