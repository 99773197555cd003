package project

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/loquat-dev/loquat/internal/diag"
	"github.com/loquat-dev/loquat/internal/domain"
	"github.com/loquat-dev/loquat/internal/nludata"
	"github.com/loquat-dev/loquat/internal/story"
	"github.com/loquat-dev/loquat/internal/tracker"
	"github.com/loquat-dev/loquat/internal/yamlfile"
)

// Paths say where a project's files are. Relative ones begin at the project's
// folder.
type Paths struct {
	Config string
	Domain []string // files or folders
	Data   []string // files or folders
}

// Project is an assistant as its author wrote it: everything that is trained.
type Project struct {
	Config  *Config
	Domain  *domain.Domain // with what NLU data and stories add to it
	NLU     *nludata.TrainingData
	Stories *story.Graph
	// HasDomain reports that the domain declares anything at all.
	HasDomain bool
}

// Load reads a project as Rasa's default importer does: responses of NLU files
// become part of the domain and the other way round, and bot texts of stories
// become actions. What is wrong anywhere goes to problems; a Project comes back
// in any case.
func Load(dir string, paths Paths, problems *diag.List) *Project {
	f := newFiles(dir, problems)
	p := &Project{Config: ReadConfig(f.resolve(paths.Config), paths.Config, problems)}
	data := f.data(paths.Data)

	var parts []*nludata.TrainingData
	for _, file := range data {
		if file.NLU && file.root != nil {
			parts = append(parts, nludata.Read(file.root, problems))
		}
	}
	p.NLU = nludata.Merge(parts, problems)

	root := f.domain(paths.Domain)
	p.HasDomain = root != nil && len(root.Pairs) > 0
	root = domain.Override(root, retrieval(p.NLU))
	p.Domain = domain.Read(root, problems)
	p.Stories = readStories(data, p.Domain, problems)
	if texts := botTexts(p.Stories); len(texts) > 0 {
		root = domain.Override(root, mapping("e2e_actions", list(texts)))
		p.Domain = domain.Read(root, &diag.List{}) // the same complaints again
	}
	p.labelResponses()
	return p
}

// data opens the training data files at and below the paths, sorted.
func (f *files) data(paths []string) []*file {
	var names []string
	for _, path := range paths {
		for _, name := range f.find(path) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		return strings.Compare(filepath.ToSlash(f.resolve(a)), filepath.ToSlash(f.resolve(b)))
	})
	var out []*file
	for _, name := range names {
		file := f.open(name)
		if file == nil {
			continue
		}
		if file.NLU || file.Stories {
			f.problems.AddAll(file.problems)
			out = append(out, file)
		}
		if file.Legacy {
			f.problems.Errorf(diag.Position{File: file.name}, "legacy-format", "convert it to YAML: rasa data convert nlu -f yaml", "NLU data in Rasa's old JSON format is not read")
		}
	}
	return out
}

func readStories(data []*file, d *domain.Domain, problems *diag.List) *story.Graph {
	reader := story.Reader{Domain: d, Problems: problems}
	g := &story.Graph{}
	for _, file := range data {
		if file.Stories && !file.Tests && file.root != nil {
			g.Blocks = append(g.Blocks, reader.Read(file.root).Blocks...)
		}
	}
	return g
}

// retrieval is what NLU data adds to the domain: retrieval intents, the actions
// that answer them, and responses. It is nil when there is nothing.
func retrieval(d *nludata.TrainingData) *yamlfile.Node {
	var intents, actions []*yamlfile.Node
	seen := map[string]bool{}
	for _, e := range d.Examples {
		if e.IntentResponseKey == "" || e.Intent == "" || seen[e.Intent] {
			continue
		}
		seen[e.Intent] = true
		intents = append(intents, mapping(e.Intent, mapping("is_retrieval_intent", &yamlfile.Node{Kind: yamlfile.Bool, Flag: true, Text: "true"})))
		actions = append(actions, &yamlfile.Node{Kind: yamlfile.String, Text: "utter_" + e.Intent, Quoted: true})
	}
	out := &yamlfile.Node{Kind: yamlfile.Map}
	add := func(key string, items []*yamlfile.Node) {
		if len(items) > 0 {
			out.Pairs = append(out.Pairs, mapping(key, &yamlfile.Node{Kind: yamlfile.List, Items: items}).Pairs...)
		}
	}
	add("intents", intents)
	add("actions", actions)
	if len(d.Responses) > 0 {
		responses := &yamlfile.Node{Kind: yamlfile.Map}
		for _, name := range sortedKeys(d.Responses) {
			variations := &yamlfile.Node{Kind: yamlfile.List}
			for _, v := range d.Responses[name] {
				variations.Items = append(variations.Items, v.Node)
			}
			responses.Pairs = append(responses.Pairs, mapping(name, variations).Pairs...)
		}
		out.Pairs = append(out.Pairs, mapping("responses", responses).Pairs...)
	}
	if len(out.Pairs) == 0 {
		return nil
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// botTexts are the texts that stories use as actions, sorted.
func botTexts(g *story.Graph) []string {
	var texts []string
	for _, b := range g.Blocks {
		for _, e := range b.Events {
			if a, ok := e.Event.(*tracker.ActionExecuted); ok && a.Name == "" && a.ActionText != "" {
				texts = append(texts, a.ActionText)
			}
		}
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

func mapping(key string, value *yamlfile.Node) *yamlfile.Node {
	k := &yamlfile.Node{Kind: yamlfile.String, Text: key, Quoted: true}
	return &yamlfile.Node{Kind: yamlfile.Map, Pairs: []yamlfile.Pair{{Key: k, Value: value}}}
}

func list(texts []string) *yamlfile.Node {
	n := &yamlfile.Node{Kind: yamlfile.List}
	for _, s := range texts {
		n.Items = append(n.Items, &yamlfile.Node{Kind: yamlfile.String, Text: s, Quoted: true})
	}
	return n
}

// labelResponses sets the label text of retrieval examples: the last variation of
// their response that has a text, else the response's name.
func (p *Project) labelResponses() {
	for i := range p.NLU.Examples {
		e := &p.NLU.Examples[i]
		if e.IntentResponseKey == "" {
			continue
		}
		name := "utter_" + e.IntentResponseKey
		e.Response = name
		for _, v := range p.Domain.Responses[name] {
			if v.HasText && v.Text != "" {
				e.Response = v.Text
			}
		}
	}
}
