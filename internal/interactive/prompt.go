package interactive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
)

// MenuWord opens the menu from any question, as Ctrl-C does.
const MenuWord = ":menu"

var (
	errMenu = errors.New("the menu is wanted")
	// ErrInputEnded says that there is nobody to answer any more.
	ErrInputEnded = errors.New("the input has ended")
)

// Prompter asks questions in lines of text, which work in any terminal, through
// any connection, and with a screen reader.
type Prompter struct {
	Lines     <-chan string    // answers; closed at the end of the input
	Interrupt <-chan os.Signal // opens the menu; may be nil
	Out       io.Writer
}

// printf writes what may come from strangers: control characters are left out.
func (p *Prompter) printf(format string, args ...any) {
	fmt.Fprint(p.Out, strings.Map(visible, fmt.Sprintf(format, args...)))
}

// visible leaves out control characters, which could steer the terminal.
func visible(r rune) rune {
	if r != '\n' && unicode.IsControl(r) {
		return -1
	}
	return r
}

// text asks for a line. An empty one is the fallback.
func (p *Prompter) text(ctx context.Context, question, fallback string) (string, error) {
	if fallback != "" {
		question += " [" + fallback + "]"
	}
	p.printf("%s ", question)
	select {
	case <-ctx.Done():
		p.printf("\n")
		return "", ctx.Err()
	case <-p.Interrupt:
		p.printf("\n")
		return "", errMenu
	case line, ok := <-p.Lines:
		line = strings.TrimSpace(line)
		switch {
		case !ok:
			p.printf("\n")
			return "", ErrInputEnded
		case line == MenuWord:
			return "", errMenu
		case line == "":
			return fallback, nil
		}
		return line, nil
	}
}

// required asks until there is an answer that check takes.
func (p *Prompter) required(ctx context.Context, question string, check func(string) error) (string, error) {
	for {
		answer, err := p.text(ctx, question, "")
		if err != nil {
			return "", err
		}
		if answer == "" {
			continue
		}
		if err := check(answer); err != nil {
			p.printf("%v\n", err)
			continue
		}
		return answer, nil
	}
}

// yes asks a question that is mostly answered with yes.
func (p *Prompter) yes(ctx context.Context, question string) (bool, error) {
	for {
		answer, err := p.text(ctx, question+" [Y/n]", "")
		if err != nil {
			return false, err
		}
		switch strings.ToLower(answer) {
		case "", "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
		p.printf("Please answer y or n.\n")
	}
}

// choose lists options and asks for the number of one, or its name.
func (p *Prompter) choose(ctx context.Context, question string, options []string, names []string) (int, error) {
	p.printf("%s\n", question)
	for i, option := range options {
		p.printf("  %2d  %s\n", i+1, option)
	}
	for {
		answer, err := p.text(ctx, "Number:", "")
		if err != nil {
			return 0, err
		}
		if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(options) {
			return n - 1, nil
		}
		for i, name := range names {
			if answer != "" && answer == name {
				return i, nil
			}
		}
		p.printf("Please type a number from 1 to %d.\n", len(options))
	}
}
