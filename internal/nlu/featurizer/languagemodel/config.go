package languagemodel

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/ml/sentence"
	"github.com/loquat-dev/loquat/internal/ml/sentence/minilm"
)

// Config is what config.yml may set for LanguageModelFeaturizer.
type Config struct {
	Alias *string `json:"alias"`
	// CacheDir is where Rasa keeps what it downloads. Nothing is downloaded here.
	CacheDir  *string `json:"cache_dir"`
	ModelName string  `json:"model_name"`
	// ModelWeights is a folder with config.json, vocab.txt and model.safetensors, or
	// a file that "loquat model-weights pack" made of one, from the project on; or the
	// name of published weights.
	ModelWeights *string `json:"model_weights"`

	// WeightsSHA256 says which weights a model was trained with. Training sets it.
	WeightsSHA256 string `json:"weights_sha256,omitempty"`
	// Kernel says what arithmetic made the vectors that a model was trained with.
	// Training sets it.
	Kernel string `json:"kernel,omitempty"`
}

const defaultModel = "bert"

// published are the weights that Rasa 3.6 downloads for each model_name.
var published = map[string]string{
	"bert": "rasa/LaBSE", "gpt": "openai-gpt", "gpt2": "gpt2", "xlnet": "xlnet-base-cased",
	"distilbert": "distilbert-base-uncased", "roberta": "roberta-base", "camembert": "camembert-base",
}

// builtIn are the names of the encoder that is part of the program.
var builtIn = []string{minilm.Name, "sentence-transformers/" + minilm.Name}

// wanted is the name of the weights that the settings ask for.
func (c *Config) wanted() string {
	if c.ModelWeights == nil || *c.ModelWeights == "" {
		return published[c.ModelName]
	}
	return *c.ModelWeights
}

// path is where the weights lie, or "" for those that are built in. What is no
// path of the project's is a name of published weights, as in Rasa.
func (c *Config) path() string {
	if c.ModelWeights == nil || *c.ModelWeights == "" || slices.Contains(builtIn, *c.ModelWeights) {
		return ""
	}
	path := filepath.FromSlash(*c.ModelWeights)
	if _, err := os.Lstat(path); err == nil || looksLikePath(path) {
		return path
	}
	return ""
}

// looksLikePath tells paths that don't exist from names such as "rasa/LaBSE": a
// name has one slash at most, and its first part is no folder here.
func looksLikePath(path string) bool {
	parts := strings.Split(filepath.ToSlash(path), "/")
	if len(parts) > 2 || strings.HasPrefix(path, ".") || strings.HasPrefix(path, "~") || parts[0] == "" || strings.HasSuffix(path, "/") {
		return true
	}
	if len(parts) == 1 {
		return strings.HasSuffix(path, ".bin") || strings.HasSuffix(path, ".safetensors")
	}
	info, err := os.Stat(parts[0])
	return err == nil && info.IsDir()
}

// check refuses what can't be loaded.
func (e *encoders) check(raw graph.Config) []error {
	c := Config{ModelName: defaultModel}
	if err := raw.Decode(&c); err != nil {
		return []error{err}
	}
	if _, known := published[c.ModelName]; !known {
		names := make([]string, 0, len(published))
		for name := range published {
			names = append(names, name)
		}
		slices.Sort(names)
		return []error{fmt.Errorf("model_name: %q is not one of %s", c.ModelName, strings.Join(names, ", "))}
	}
	if c.path() == "" {
		return nil
	}
	if c.ModelName != defaultModel {
		return []error{fmt.Errorf("model_name: weights are read from the project for %q, not for %q", defaultModel, c.ModelName)}
	}
	if _, err := e.load(c); err != nil {
		return []error{fmt.Errorf("model_weights: %w", err)}
	}
	return nil
}

// resolve identifies the weights, and says what stands in for what.
func (e *encoders) resolve(raw graph.Config, language string) (graph.Config, []graph.Advice) {
	c := Config{ModelName: defaultModel}
	if len(e.check(raw)) > 0 || raw.Decode(&c) != nil {
		return nil, nil
	}
	if c.path() != "" {
		c.WeightsSHA256 = ""
		w, err := e.load(c)
		if err != nil {
			return nil, nil
		}
		return used(w.fingerprint), nil
	}
	var advice []graph.Advice
	if wanted := c.wanted(); !slices.Contains(builtIn, wanted) {
		at := "model_weights"
		if c.ModelWeights == nil || *c.ModelWeights == "" {
			at = "model_name"
		}
		advice = append(advice, graph.Advice{
			Setting: at, Code: "stand-in-weights",
			Message: fmt.Sprintf("%s, which is built in, stands in for %s: nothing is downloaded", minilm.Name, wanted),
			Hint:    fmt.Sprintf("model_weights: %s says so, or a folder with the config.json, vocab.txt and model.safetensors of an encoder of type bert", minilm.Name),
		})
	}
	if base, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(language), "_", "-"), "-"); language != "" && base != "en" {
		advice = append(advice, graph.Advice{
			Code:    "encoder-language",
			Message: fmt.Sprintf("%s, which is built in, is an encoder for English, and the language is %q", minilm.Name, language),
			Hint:    "model_weights: a folder with an encoder of type bert for the language",
		})
	}
	return used(minilm.Fingerprint), advice
}

// used are the settings that say what made the vectors of a training.
func used(fingerprint string) graph.Config {
	return graph.Config{"weights_sha256": fingerprint, "kernel": sentence.Arithmetic}
}
