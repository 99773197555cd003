package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/channel"
	"github.com/loquat-dev/loquat/internal/pystr"
)

func newShellCommand(env *environment) *cobra.Command {
	o := app.ServeOptions{InMemory: true}
	var conversationID string
	cmd := &cobra.Command{
		Use:   "shell [model]",
		Short: "Talk to a model in the terminal",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			takeModel(env, cmd, args, &o.Model)
			return talk(cmd.Context(), env, o, conversationID)
		},
	}
	flags := cmd.Flags()
	addModelFlag(flags, &o.Model)
	addEndpointsFlag(flags, &o.Endpoints)
	flags.BoolVar(&o.Trace, "trace", false, "print the tree of spans of each turn")
	flags.StringVar(&conversationID, "conversation-id", "", "the conversation to go on with (default: a new one)")

	var model string
	nlu := &cobra.Command{
		Use:   "nlu [model]",
		Short: "Show what a model makes of each line",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			takeModel(env, cmd, args, &model)
			return showParses(cmd.Context(), env, model)
		},
	}
	addModelFlag(nlu.Flags(), &model)
	cmd.AddCommand(nlu)
	return cmd
}

func talk(ctx context.Context, env *environment, o app.ServeOptions, conversationID string) (err error) {
	o.Logger, o.TraceOutput = env.logger, env.Err
	assistant, err := app.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, assistant.Close(context.WithoutCancel(ctx))) }()
	assistant.ReportShell(env.telemetry, o)
	if !assistant.Predicts() {
		return errors.New("the model understands messages and says nothing; see what it understands with: loquat shell nlu")
	}
	if conversationID == "" {
		conversationID = app.NewID()
	}
	fmt.Fprintln(env.Out, "The assistant is ready. Type a message and press Enter; /stop ends.")
	out := &terminalOutput{w: env.Out}
	return eachLine(ctx, env, "Your input -> ", func(line string) error {
		text := out.choose(line)
		out.buttons = nil
		err := assistant.HandleMessage(ctx, channel.Message{
			Text: text, HasText: true, SenderID: conversationID, Channel: "cmdline", MessageID: app.NewID(), Output: out,
		})
		return errors.Join(err, assistant.ShowTraces(ctx))
	})
}

func showParses(ctx context.Context, env *environment, model string) error {
	parser, err := app.OpenParser(ctx, app.ServeOptions{Model: model, Logger: env.logger})
	if err != nil {
		return err
	}
	app.ReportParserStarted(env.telemetry)
	fmt.Fprintln(env.Out, "NLU model loaded. Type a message and press enter to parse it; /stop ends.")
	return eachLine(ctx, env, "Next message:\n", func(line string) error {
		result, err := parser.Parse(ctx, line)
		if err != nil {
			return err
		}
		var b bytes.Buffer
		if err := json.Indent(&b, result, "", "  "); err != nil {
			return err
		}
		b.WriteByte('\n')
		_, err = b.WriteTo(env.Out)
		return err
	})
}

// maxLine bounds one line of input, in bytes.
const maxLine = 1 << 20

// eachLine prompts for lines until the input ends, "/stop" is typed or ctx ends.
func eachLine(ctx context.Context, env *environment, prompt string, handle func(string) error) error {
	input := env.typed(ctx)
	for {
		fmt.Fprint(env.Out, prompt)
		line, err := input.next(ctx)
		if err != nil {
			fmt.Fprintln(env.Out)
			if errors.Is(err, io.EOF) || errors.Is(err, context.Canceled) {
				return nil
			}
			return err
		}
		line = strings.TrimSpace(line)
		if line == "/stop" {
			return nil
		}
		if err := handle(line); err != nil {
			return err
		}
	}
}

// terminalOutput is the channel "cmdline": it prints what the assistant says.
type terminalOutput struct {
	w       io.Writer
	buttons []string // payloads of the last message's buttons
}

// Name is the channel's name.
func (o *terminalOutput) Name() string { return "cmdline" }

// Send prints one message. Buttons get numbers that can be typed instead.
func (o *terminalOutput) Send(_ context.Context, _ string, r channel.Response) error {
	for _, key := range []string{"text", "image", "attachment"} {
		if s, ok := r[key].(string); ok && s != "" {
			label := ""
			if key != "text" {
				label = strings.ToUpper(key[:1]) + key[1:] + ": "
			}
			fmt.Fprintln(o.w, label+printable(s))
		}
	}
	for _, key := range []string{"buttons", "quick_replies"} {
		buttons, _ := r[key].([]any)
		for _, b := range buttons {
			button, _ := b.(map[string]any)
			title, _ := button["title"].(string)
			payload, _ := button["payload"].(string)
			o.buttons = append(o.buttons, payload)
			fmt.Fprintf(o.w, "  %d: %s (%s)\n", len(o.buttons), printable(title), printable(payload))
		}
	}
	for _, key := range []string{"custom", "elements"} {
		if v := r[key]; pystr.Truth(v) {
			data, err := json.Marshal(v)
			if err != nil {
				return fmt.Errorf("print %s: %w", key, err)
			}
			fmt.Fprintln(o.w, string(data))
		}
	}
	return nil
}

// choose replaces the number of a button by its payload.
func (o *terminalOutput) choose(line string) string {
	if n, err := strconv.Atoi(line); err == nil && n >= 1 && n <= len(o.buttons) {
		return o.buttons[n-1]
	}
	return line
}

// printable leaves out control characters that could steer the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, s)
}
