// Command bench prints the table of accuracy, speed and memory that the product
// is held to, each figure beside its bound. It measures ./bin/loquat as it is.
//
// Arguments choose sections; without any, all are measured. Flags narrow the
// section "nlu" down (-h lists them). "parse MODEL TABLE" loads a model and parses
// the texts of a table, "telemetry-start HOME PROJECT" starts telemetry; the sections
// "nlu" and "telemetry" run them as processes of their own.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/loquat-dev/loquat/bench/dialoguebench"
)

// section is one part of the table.
type section struct {
	name    string
	measure func(ctx context.Context, out io.Writer, root string) error
}

var sections = []section{
	{"encoder", benchEncoder},
	{"nlu", benchNLU},
	{"dialogue", dialoguebench.Measure},
	{"server", benchServer},
	{"telemetry", benchTelemetry},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	flag.Parse()
	if args := flag.Args(); len(args) == 3 && args[0] == "parse" {
		if err := benchParse(ctx, args[1], args[2]); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
			os.Exit(1)
		}
		return
	}
	if args := flag.Args(); len(args) == 3 && args[0] == "telemetry-start" {
		telemetryStart(args[1], args[2])
		return
	}
	if err := run(ctx, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, chosen []string) error {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	for _, name := range chosen {
		if !slices.ContainsFunc(sections, func(s section) bool { return s.name == name }) {
			return fmt.Errorf("there is no section %q", name)
		}
	}
	for _, s := range sections {
		if len(chosen) > 0 && !slices.Contains(chosen, s.name) {
			continue
		}
		fmt.Printf("== %s\n", s.name)
		if err := s.measure(ctx, os.Stdout, root); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}
