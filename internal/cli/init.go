package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/examples"
	"github.com/loquat-dev/loquat/internal/app"
)

func newInitCommand(env *environment) *cobra.Command {
	var dir string
	var noPrompt bool
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a working project",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask := &prompter{env: env, silent: noPrompt}
			if dir == "" {
				dir = ask.text(cmd.Context(), "Which folder shall the project go to?", ".")
			}
			return initProject(cmd.Context(), env, ask, dir)
		},
	}
	cmd.Flags().StringVar(&dir, "init-dir", "", "folder that the project goes to")
	cmd.Flags().BoolVar(&noPrompt, "no-prompt", false, "ask nothing: the current folder, and a first training")
	return cmd
}

func initProject(ctx context.Context, env *environment, ask *prompter, dir string) error {
	if !ask.silent {
		env.askAboutTelemetry(ctx)
	}
	if err := ctx.Err(); err != nil {
		return err // interrupted at a question
	}
	app.ReportProjectCreated(env.telemetry)
	if err := writeStarter(dir); err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "Made a project in the folder %s\n", dir)
	if !ask.yes(ctx, "Train a first model?") {
		fmt.Fprintf(env.Out, "To train one later: %sloquat train\n", inFolder(dir))
		return nil
	}
	progress := newProgress(env.Err, isTerminal(env.Err))
	defer progress.close()
	result, err := app.Train(ctx, app.TrainOptions{
		Paths: app.ProjectPaths{
			Config: filepath.Join(dir, "config.yml"),
			Domain: filepath.Join(dir, "domain.yml"),
			Data:   []string{filepath.Join(dir, "data")},
		},
		Endpoints:     filepath.Join(dir, "endpoints.yml"),
		Out:           filepath.Join(dir, "models"),
		CacheDir:      filepath.Join(dir, ".rasa", "cache"),
		Augmentation:  50,
		EpochFraction: 1,
		Logger:        env.logger,
		Telemetry:     env.telemetry,
		Progress:      progress.node,
	})
	progress.close()
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Out, "Your model is trained and saved at '%s'.\n", result.ModelPath)
	if ask.silent || !ask.yes(ctx, "Talk to it now?") {
		fmt.Fprintf(env.Out, "To talk to it: %sloquat shell\n", inFolder(dir))
		return nil
	}
	return talk(ctx, env, app.ServeOptions{Model: result.ModelPath, Endpoints: filepath.Join(dir, "endpoints.yml"), InMemory: true}, "")
}

// inFolder is what to type before a command that runs in dir.
func inFolder(dir string) string {
	if dir == "." || dir == "" {
		return ""
	}
	return "cd " + dir + " && "
}

// writeStarter writes the starter project. It never overwrites a file: with one
// of its files in the way, nothing is written.
func writeStarter(dir string) error {
	files, err := fs.Sub(examples.Starter, "starter")
	if err != nil {
		return err
	}
	var inTheWay []string
	err = fs.WalkDir(files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if _, err := os.Lstat(filepath.Join(dir, path)); err == nil {
			inTheWay = append(inTheWay, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(inTheWay) > 0 {
		return fmt.Errorf("make a project in %s: it has %s already; choose an empty folder with --init-dir", dir, strings.Join(inTheWay, ", "))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a project: %w", err)
	}
	if err := os.CopyFS(dir, files); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("make a project in %s: %w", dir, err)
	}
	return nil
}

// prompter asks questions, or takes the defaults when it is silent or nobody is
// there to answer.
type prompter struct {
	env    *environment
	silent bool
}

func (p *prompter) text(ctx context.Context, question, fallback string) string {
	if p.silent {
		return fallback
	}
	fmt.Fprintf(p.env.Out, "%s [%s] ", question, fallback)
	answer, _ := p.env.typed(ctx).next(ctx)
	return cmp.Or(strings.TrimSpace(answer), fallback)
}

func (p *prompter) yes(ctx context.Context, question string) bool {
	answer := strings.ToLower(p.text(ctx, question, "Y/n"))
	return answer == "y/n" || strings.HasPrefix(answer, "y")
}
