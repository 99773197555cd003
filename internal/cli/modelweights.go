package cli

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/loquat-dev/loquat/internal/app"
)

func newModelWeightsCommand(env *environment) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "model-weights",
		Short: "Prepare the weights of language models",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exitCode(exitError)
		},
	}
	cmd.AddCommand(newModelWeightsPackCommand(env))
	return cmd
}

func newModelWeightsPackCommand(env *environment) *cobra.Command {
	var name string
	cmd := &cobra.Command{
		Use:   "pack FOLDER FILE",
		Short: "Round an encoder's weights to eight bits and write one file of them",
		Long: `Pack reads an encoder of BERT's architecture (config.json, vocab.txt and
model.safetensors in FOLDER), rounds its weights to eight bits and writes FILE,
which LanguageModelFeaturizer loads at once (model_name: bert, model_weights:
FILE). It takes a quarter of the space.`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if name == "" {
				folder, err := filepath.Abs(args[0])
				if err != nil {
					return err
				}
				name = filepath.Base(folder)
			}
			packed, err := app.PackModelWeights(args[0], args[1], name)
			if err != nil {
				return err
			}
			fmt.Fprintf(env.Out, "Wrote %s: %d bytes\n", args[1], packed.Bytes)
			fmt.Fprintf(env.Out, "  SHA-256 of the file:               %s\n", packed.File)
			fmt.Fprintf(env.Out, "  weights_sha256, as in its models:  %s\n", packed.Weights)
			return nil
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name of the model in the file (default: that of the folder)")
	return cmd
}
