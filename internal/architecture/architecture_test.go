package architecture_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/loquat-dev/loquat/internal/sharedtest"
)

const module = "github.com/loquat-dev/loquat/"

// mayImport says which of our packages a package may import, below internal/.
// "x/*" stands for the subpackages of x. A package missing here fails the test:
// first choose its place.
var mayImport = map[string]string{
	// vocabulary
	"diag":     "",
	"version":  "",
	"safefile": "",
	"yamlfile": "diag pystr",
	"domain":   "diag yamlfile pystr",
	"nludata":  "diag yamlfile domain pystr",
	"tracker":  "domain pystr",
	"story":    "diag yamlfile domain nludata tracker",
	"project":  "diag yamlfile domain nludata story tracker",

	// engine
	"ml/*":     "ml/*",
	"graph":    "diag yamlfile pystr",
	"graph/*":  "graph",
	"recipe":   "diag yamlfile project graph nludata",
	"model":    "diag graph recipe domain version",
	"pyregexp": "pystr",
	"pystr":    "",
	"pyrandom": "",

	// contracts
	"nlu":          "diag graph nludata ml/sparse pyregexp pystr",
	"dialogue":     "graph diag domain tracker story pystr nlu",
	"trackerstore": "domain tracker",
	"lockstore":    "",
	"broker":       "tracker",
	"channel":      "pystr",
	"httpio":       "",
	"endpoint":     "",

	// components
	"nlu/*":             "nlu nlu/tokenizer nlu/encoder nlu/tagger nlu/textmodel nlu/entitymodel nlu/transformer nludata graph ml/* pyregexp pystr diag",
	"nlu/intentmessage": "nlu nludata graph domain",
	"dialogue/*":        "dialogue dialogue/* graph domain tracker story diag ml/* nlu nlu/encoder nlu/entitymodel nlu/transformer pyrandom",
	"provider":          "yamlfile graph domain nludata nlu dialogue dialogue/* story project tracker diag",
	"emulate":           "nlu",

	// runtime
	"nlg":              "domain tracker channel pystr",
	"nlg/remote":       "nlg domain endpoint tracker pystr",
	"action":           "domain tracker channel nlg pystr",
	"action/webhook":   "action domain endpoint tracker version",
	"action/actionrpc": "action action/webhook actionpb endpoint tracker version",
	"actionpb":         "",
	"conversation":     "action nlg nlu dialogue domain tracker trackerstore lockstore broker channel",
	"assistant":        "model graph recipe nlu dialogue domain provider diag",
	"evaluate":         "nlu nludata dialogue domain story tracker yamlfile pystr safefile",
	"evaluate/*":       "evaluate",
	"storygraph":       "dialogue nludata tracker pystr",
	"marker":           "diag yamlfile domain tracker pystr",
	"migrate":          "diag yamlfile",
	"training":         "project validate recipe graph model provider nlu nludata dialogue domain story tracker diag version",
	"validate":         "project recipe graph domain nludata nlu story dialogue dialogue/* tracker diag",

	// edges
	"trackerstore/*": "trackerstore tracker domain diag",
	"lockstore/*":    "lockstore",
	"broker/*":       "broker tracker",
	"channel/*":      "channel httpio tracker",
	"interactive":    "conversation channel domain nlu nludata story tracker yamlfile safefile diag pystr",
	"httpapi":        "httpio evaluate nludata yamlfile lockstore conversation channel story tracker trackerstore domain nlu emulate version diag",
	"tracing":        "diag yamlfile graph conversation action action/webhook dialogue tracker version tracing/*",
	"tracing/*":      "tracing/record",

	// usage reports: nothing that can see a conversation
	"telemetry":          "diag yamlfile version safefile",
	"telemetry/receiver": "telemetry",

	"app":      "*",
	"golden":   "*",
	"golden/*": "*",
	"cli":      "app channel diag evaluate version pystr telemetry telemetry/receiver",
}

// conformance suites and comparisons; only tests and tools import them.
var testOnly = []string{"sharedtest", "golden", "trackerstore/trackerstoretest", "lockstore/lockstoretest", "broker/brokertest", "dialogue/dialoguetest", "tracing/tracetree", "tracing/tlstest", "endtoend", "walk", "architecture"}

func TestImportsPointDownwards(t *testing.T) {
	root := sharedtest.ModuleRoot(t)
	for name, imports := range packages(t, root) {
		rule, known := ruleFor(name)
		if !known {
			t.Errorf("internal/%s has no place in mayImport: choose one", name)
			continue
		}
		for _, imported := range imports {
			if slices.Contains(testOnly, imported) || isTestOnly(imported) {
				t.Errorf("internal/%s imports %s, which is for tests", name, imported)
			} else if !allowed(rule, name, imported) {
				t.Errorf("internal/%s imports internal/%s; it may import: %s", name, imported, rule)
			}
		}
	}
}

func TestOnlyAppSeesOpenTelemetrySetUp(t *testing.T) {
	for name, imports := range packages(t, sharedtest.ModuleRoot(t)) {
		if slices.Contains(imports, "tracing") && name != "app" {
			t.Errorf("internal/%s imports tracing; only app wraps things for tracing", name)
		}
	}
}

func isTestOnly(name string) bool { return strings.HasPrefix(name, "golden") }

func ruleFor(name string) (string, bool) {
	if rule, ok := mayImport[name]; ok {
		return rule, true
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if rule, ok := mayImport[dir+"/*"]; ok {
			return rule, true
		}
	}
	return "", slices.Contains(testOnly, name) || isTestOnly(name)
}

func allowed(rule, name, imported string) bool {
	if rule == "*" {
		return true
	}
	for _, r := range strings.Fields(rule) {
		if r == imported {
			return true
		}
		if dir, ok := strings.CutSuffix(r, "/*"); ok && strings.HasPrefix(imported, dir+"/") {
			return true
		}
	}
	return false
}

// packages returns what the non-test files of each package below internal import
// of this module.
func packages(t *testing.T, root string) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(file string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return err
		}
		rel, err := filepath.Rel(filepath.Join(root, "internal"), filepath.Dir(file))
		if err != nil {
			return err
		}
		name := filepath.ToSlash(rel)
		if ruleless := slices.Contains(testOnly, name) || isTestOnly(name); ruleless {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		out[name] = append(out[name], []string{}...)
		for _, spec := range parsed.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if ours, ok := strings.CutPrefix(imported, module+"internal/"); ok && !slices.Contains(out[name], ours) {
				out[name] = append(out[name], ours)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryPackageSaysWhyItExists(t *testing.T) {
	root := sharedtest.ModuleRoot(t)
	documented := map[string]bool{}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && strings.HasPrefix(entry.Name(), ".") && file != root {
			return filepath.SkipDir
		}
		if entry.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.PackageClauseOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		dir := filepath.Dir(file)
		documented[dir] = documented[dir] || parsed.Doc != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

// TestRepositorySpeaksOfTheProductAlone keeps paths of developers' machines out.
func TestRepositorySpeaksOfTheProductAlone(t *testing.T) {
	root := sharedtest.ModuleRoot(t)
	banned := []string{"/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/"}
	err := filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if name := entry.Name(); name == ".git" || name == "bin" || name == "cache" || name == "models" {
				return filepath.SkipDir
			}
			return nil
		}
		if info, err := entry.Info(); err != nil || !info.Mode().IsRegular() || info.Size() > 1<<20 || entry.Name() == ".git" {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, word := range banned {
			if strings.Contains(string(data), word) {
				t.Errorf("%s mentions %s", file, word)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
