package sentence

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// config is what is read of config.json.
type config struct {
	ModelType    string  `json:"model_type"`
	Activation   string  `json:"hidden_act"`
	Positions    string  `json:"position_embedding_type"`
	Hidden       int     `json:"hidden_size"`
	Layers       int     `json:"num_hidden_layers"`
	Heads        int     `json:"num_attention_heads"`
	Inner        int     `json:"intermediate_size"`
	MaxPositions int     `json:"max_position_embeddings"`
	Segments     int     `json:"type_vocab_size"`
	Vocabulary   int     `json:"vocab_size"`
	Epsilon      float32 `json:"layer_norm_eps"`
}

// tokenizerConfig is what is read of tokenizer_config.json, which need not be there.
type tokenizerConfig struct {
	Lowercase    *bool `json:"do_lower_case"`
	StripAccents *bool `json:"strip_accents"`
	SplitHan     *bool `json:"tokenize_chinese_chars"`
}

// poolingConfig is what is read of 1_Pooling/config.json, which need not be there.
type poolingConfig struct {
	First bool `json:"pooling_mode_cls_token"`
	Mean  bool `json:"pooling_mode_mean_tokens"`
}

const maxConfig = 1 << 20

// readConfig reads what a folder says about its model.
func readConfig(folder string) (config, Properties, error) {
	c := config{Activation: "gelu", Positions: "absolute", Segments: 2, Epsilon: 1e-12}
	path := filepath.Join(folder, "config.json")
	if err := readJSON(path, &c); err != nil {
		return c, Properties{}, err
	}
	if err := c.check(); err != nil {
		return c, Properties{}, fmt.Errorf("%s: %w", path, err)
	}
	p := Properties{Epsilon: c.Epsilon}
	var t tokenizerConfig
	if err := readJSON(filepath.Join(folder, "tokenizer_config.json"), &t); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, p, err
	}
	p.Pieces.Lowercase = t.Lowercase == nil || *t.Lowercase
	p.Pieces.StripAccents = p.Pieces.Lowercase
	if t.StripAccents != nil {
		p.Pieces.StripAccents = *t.StripAccents
	}
	p.Pieces.SplitHan = t.SplitHan == nil || *t.SplitHan
	pooling := poolingConfig{Mean: true}
	path = filepath.Join(folder, "1_Pooling", "config.json")
	if err := readJSON(path, &pooling); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, p, err
	}
	switch {
	case pooling.First:
		p.Pooling = PoolFirst
	case !pooling.Mean:
		return c, p, fmt.Errorf("%s: vectors of texts are made in another way than by the mean or of the first piece", path)
	}
	return c, p, nil
}

// check refuses what is not BERT's architecture.
func (c config) check() error {
	switch {
	case c.ModelType != "bert":
		return fmt.Errorf("model_type is %q; encoders of type \"bert\" are read", c.ModelType)
	case c.Activation != "gelu":
		return fmt.Errorf("hidden_act is %q, not \"gelu\"", c.Activation)
	case c.Positions != "absolute":
		return fmt.Errorf("position_embedding_type is %q, not \"absolute\"", c.Positions)
	case c.Segments < 1 || c.Segments > maxPieces:
		return fmt.Errorf("type_vocab_size is %d", c.Segments)
	case c.MaxPositions < 2 || c.MaxPositions > 1<<16:
		return fmt.Errorf("max_position_embeddings is %d", c.MaxPositions)
	case !(c.Epsilon >= 0 && c.Epsilon <= 1):
		return fmt.Errorf("layer_norm_eps is %v", c.Epsilon)
	}
	return c.shape().check()
}

func (c config) shape() Shape {
	return Shape{
		Vocabulary: c.Vocabulary, Hidden: c.Hidden, Layers: c.Layers, Heads: c.Heads, Inner: c.Inner,
		Positions: min(c.MaxPositions, maxPieces),
	}
}

func readJSON(path string, to any) error {
	data, err := readSmall(path, maxConfig)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// readVocabulary returns the lines of vocab.txt, each with its end.
func readVocabulary(folder string, pieces int) (string, error) {
	path := filepath.Join(folder, "vocab.txt")
	data, err := readSmall(path, maxText)
	if err != nil {
		return "", err
	}
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	if lines := strings.Count(text, "\n"); lines != pieces {
		return "", fmt.Errorf("%s: %d lines; config.json says that there are %d pieces", path, lines, pieces)
	}
	return text, nil
}

// readSmall reads a file that must not have more than limit bytes.
func readSmall(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%s: more than %d bytes", path, limit)
	}
	return data, nil
}
