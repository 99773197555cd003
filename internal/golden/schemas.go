package golden

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/app"
	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/graph"
	"github.com/loquat-dev/loquat/internal/project"
	"github.com/loquat-dev/loquat/internal/recipe"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// schemas compares every node of the graphs that Rasa keeps as examples: what it
// needs, which class and function it runs, how, and with which settings.
func schemas(dir string) Report {
	report := Report{File: "bots/rasa-format-fixtures/graph_schemas"}
	folder := filepath.Join(botsDir(dir), "rasa-format-fixtures", "graph_schemas")
	files, err := os.ReadDir(folder)
	if err != nil {
		return fail(report.File, err)
	}
	types := app.Catalog()
	for _, f := range files {
		var problems diag.List
		nodes := yamlfile.Read(filepath.Join(folder, f.Name()), f.Name(), &problems).Get("nodes")
		name := strings.TrimSuffix(f.Name(), "_schema.yml")
		g := graphsFor(botsDir(dir), name, types, &problems)
		if err := problems.Err(); err != nil {
			report.equal(f.Name(), err.Error())
			continue
		}
		s := &g.Train
		if strings.HasSuffix(name, "_predict") {
			s = &g.Predict
		}
		report.equal(f.Name(), compareSchema(nodes, s, types))
	}
	return report
}

// graphsFor makes the graphs that an example shows: its name tells configuration,
// type of training and options.
func graphsFor(bots, name string, types graph.Types, problems *diag.List) *recipe.Graphs {
	o := recipe.Options{Type: recipe.Both, Augmentation: 50}
	for suffix, t := range map[string]recipe.TrainingType{
		"_nlu_": recipe.NLU, "pretrained_embeddings": recipe.NLU, "keyword_classifier": recipe.NLU,
		"_core_": recipe.Core, "max_hist": recipe.Core, "_e2e_": recipe.EndToEnd,
	} {
		if strings.Contains(name, suffix) {
			o.Type = t
		}
	}
	if strings.Contains(name, "_finetune") {
		o.Finetuning, o.EpochFraction = true, 1
	}
	if strings.Contains(name, "_epoch_fraction") {
		o.EpochFraction = 0.5
	}
	base := name
	for _, cut := range []string{"_predict", "_train", "_finetune_epoch_fraction", "_finetune", "_nlu", "_core", "_e2e"} {
		base = strings.TrimSuffix(base, cut)
	}
	c := &project.Config{File: "config.yml", Language: "en", Recipe: recipe.DefaultV1}
	if base != "default_config" {
		c = project.ReadConfig(filepath.Join(bots, "rasa-format-fixtures", "test_config", base+".yml"), base+".yml", problems)
	}
	completed, _ := recipe.Complete(c, o.Type, problems)
	return recipe.Build(completed, types, o, problems)
}

func compareSchema(nodes *yamlfile.Node, s *graph.Schema, types graph.Types) string {
	var differences []string
	for _, p := range nodes.Pairs {
		n := s.Node(p.Key.Text)
		if n == nil {
			differences = append(differences, p.Key.Text+": there is no such node")
			continue
		}
		got := map[string]any{
			"needs": n.Needs, "uses": types[n.Uses].ClassPath, "constructor_name": n.Constructor, "fn": n.Fn, "config": n.Config,
			"eager": n.Eager, "is_target": n.IsTarget, "is_input": n.IsInput, "resource": nil,
		}
		if n.Resource != "" {
			got["resource"] = map[string]any{"name": n.Resource}
		}
		if d := diff(p.Value.Any(), got); d != "" {
			differences = append(differences, p.Key.Text+": "+d)
		}
	}
	slices.Sort(differences)
	return strings.Join(differences, "\n")
}
