package telemetry

import (
	"regexp"
	"strings"
	"sync"

	"github.com/loquat-dev/loquat/docs"
)

// The closed lists. Each is one reviewed text; its last word stands for all
// others, so that a name that somebody chose never appears.
type (
	TrainingType = Word[trainingTypes]
	GraphSchema  = Word[graphSchemas]
	Recipe       = Word[recipes]
	Language     = Word[languages]
	Component    = Word[components]
	Provider     = Word[providers]
	Model        = Word[models]
	Channel      = Word[channels]
	Backend      = Word[backends]
	Tracing      = Word[tracingTypes]
	Metrics      = Word[metricsTypes]
	Template     = Word[templates]
	Command      = Word[commands]
	Stage        = Word[stages]
	Strategy     = Word[strategies]
	ErrorCode    = Word[errorCodes]
	osName       = Word[osNames]
	eventName    = Word[eventNames]
	track        = Word[trackOnly]
)

type (
	trainingTypes struct{}
	graphSchemas  struct{}
	recipes       struct{}
	languages     struct{}
	components    struct{}
	providers     struct{}
	models        struct{}
	channels      struct{}
	backends      struct{}
	tracingTypes  struct{}
	metricsTypes  struct{}
	templates     struct{}
	commands      struct{}
	stages        struct{}
	strategies    struct{}
	errorCodes    struct{}
	osNames       struct{}
	eventNames    struct{}
	trackOnly     struct{}
)

func (trackOnly) words() []string     { return []string{"track"} }
func (trainingTypes) words() []string { return []string{"nlu", "core", "rasa"} }
func (graphSchemas) words() []string  { return []string{"None", "custom"} }
func (recipes) words() []string       { return []string{"default.v1", "graph.v1", "None", "other"} }
func (tracingTypes) words() []string  { return []string{"jaeger", "otlp", "langfuse", "other"} }
func (metricsTypes) words() []string  { return []string{"otlp", "prometheus", "other"} }
func (templates) words() []string     { return []string{"default", "other"} }
func (osNames) words() []string       { return []string{"Linux", "Darwin", "Windows", "Other"} }
func (commands) words() []string {
	return []string{
		"init", "train", "train nlu", "train core", "run", "shell", "shell nlu", "test", "test nlu", "test core",
		"data validate", "data validate stories", "data split nlu", "data split stories", "data migrate", "interactive",
		"interactive core", "visualize", "evaluate markers all", "evaluate markers first_n", "evaluate markers sample_n", "other",
	}
}
func (stages) words() []string {
	return []string{"init", "load", "train", "serve", "test", "export", "other"}
}
func (strategies) words() []string { return []string{"all", "first_n", "sample_n", "other"} }
func (eventNames) words() []string {
	var names []string
	for _, e := range catalogue {
		names = append(names, aboutOf(e).name)
	}
	return names
}

func (languages) words() []string  { return languageCodes }
func (components) words() []string { return componentNames }
func (providers) words() []string  { return providerNames }
func (models) words() []string     { return modelNames }
func (channels) words() []string   { return channelNames }
func (backends) words() []string   { return backendTypes }
func (errorCodes) words() []string { return errorNames() }

// languageCodes are those of ISO 639-1, and three-letter ones of languages that
// have no other and many speakers.
var languageCodes = strings.Fields(`
aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en eo es
et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj
kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv
ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti
tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
arz bho ceb cmn fil hmn mai nan wuu yue other`)

// componentNames are the components of Rasa, by short name and by the path of
// their class.
var componentNames = append(withShortNames(`
rasa.core.policies.memoization.AugmentedMemoizationPolicy rasa.core.policies.memoization.MemoizationPolicy
rasa.core.policies.rule_policy.RulePolicy rasa.core.policies.ted_policy.TEDPolicy
rasa.core.policies.unexpected_intent_policy.UnexpecTEDIntentPolicy
rasa.core.policies.flow_policy.FlowPolicy rasa.core.policies.intentless_policy.IntentlessPolicy
rasa.core.policies.enterprise_search_policy.EnterpriseSearchPolicy
rasa.nlu.classifiers.diet_classifier.DIETClassifier rasa.nlu.classifiers.fallback_classifier.FallbackClassifier
rasa.nlu.classifiers.keyword_intent_classifier.KeywordIntentClassifier
rasa.nlu.classifiers.logistic_regression_classifier.LogisticRegressionClassifier
rasa.nlu.classifiers.mitie_intent_classifier.MitieIntentClassifier
rasa.nlu.classifiers.sklearn_intent_classifier.SklearnIntentClassifier
rasa.nlu.extractors.crf_entity_extractor.CRFEntityExtractor
rasa.nlu.extractors.duckling_entity_extractor.DucklingEntityExtractor
rasa.nlu.extractors.entity_synonyms.EntitySynonymMapper rasa.nlu.extractors.mitie_entity_extractor.MitieEntityExtractor
rasa.nlu.extractors.regex_entity_extractor.RegexEntityExtractor
rasa.nlu.extractors.spacy_entity_extractor.SpacyEntityExtractor
rasa.nlu.featurizers.dense_featurizer.convert_featurizer.ConveRTFeaturizer
rasa.nlu.featurizers.dense_featurizer.lm_featurizer.LanguageModelFeaturizer
rasa.nlu.featurizers.dense_featurizer.mitie_featurizer.MitieFeaturizer
rasa.nlu.featurizers.dense_featurizer.spacy_featurizer.SpacyFeaturizer
rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer.CountVectorsFeaturizer
rasa.nlu.featurizers.sparse_featurizer.lexical_syntactic_featurizer.LexicalSyntacticFeaturizer
rasa.nlu.featurizers.sparse_featurizer.regex_featurizer.RegexFeaturizer
rasa.nlu.selectors.response_selector.ResponseSelector
rasa.nlu.tokenizers.jieba_tokenizer.JiebaTokenizer rasa.nlu.tokenizers.mitie_tokenizer.MitieTokenizer
rasa.nlu.tokenizers.spacy_tokenizer.SpacyTokenizer rasa.nlu.tokenizers.whitespace_tokenizer.WhitespaceTokenizer
rasa.nlu.utils.mitie_utils.MitieNLP rasa.nlu.utils.spacy_utils.SpacyNLP`),
	strings.Fields(`
LLMCommandGenerator SingleStepLLMCommandGenerator MultiStepLLMCommandGenerator CompactLLMCommandGenerator
SearchReadyLLMCommandGenerator NLUCommandAdapter LLMBasedRouter IntentBasedRouter custom`)...)

// withShortNames adds the last part of each dotted path.
func withShortNames(paths string) []string {
	var out []string
	for _, path := range strings.Fields(paths) {
		out = append(out, path[strings.LastIndex(path, ".")+1:], path)
	}
	return out
}

var providerNames = strings.Fields(`
openai azure self-hosted huggingface_local huggingface rasa anthropic bedrock cohere gemini mistral ollama vertex_ai groq
together_ai other`)

// modelNames are public names of models.
var modelNames = strings.Fields(`
gpt-3.5-turbo gpt-3.5-turbo-0125 gpt-3.5-turbo-1106 gpt-4 gpt-4-0613 gpt-4-turbo gpt-4-turbo-2024-04-09 gpt-4o gpt-4o-mini
gpt-4o-2024-05-13 gpt-4o-2024-08-06 gpt-4o-2024-11-20 gpt-4o-mini-2024-07-18 gpt-4.1 gpt-4.1-mini gpt-4.1-nano gpt-5
gpt-5-mini gpt-5-nano o1 o3 o3-mini o4-mini text-embedding-ada-002 text-embedding-3-small text-embedding-3-large
claude-3-haiku-20240307 claude-3-5-haiku-20241022 claude-3-5-sonnet-20240620 claude-3-5-sonnet-20241022
claude-3-7-sonnet-20250219 claude-sonnet-4-20250514 claude-opus-4-20250514 gemini-1.5-flash gemini-1.5-pro
gemini-2.0-flash gemini-2.5-flash gemini-2.5-pro mistral-large-latest mistral-small-latest command-r command-r-plus
rasa/command-generation-llama-3.1-8b-instruct custom`)

var channelNames = strings.Fields(`
rest callback socketio cmdline slack telegram facebook twilio twilio_voice botframework mattermost rocketchat webexteams
hangouts instagram rasa audiocodes audiocodes_stream genesys jambonz jambonz_stream twilio_media_streams
browser_audio inspector custom`)

// backendTypes are the words that a type: in endpoints.yml can have.
var backendTypes = strings.Fields(`
in_memory sql redis concurrent_redis mongod dynamo file pika kafka response rephrase http custom`)

// otherErrors are what a command can end with besides the problems of a project.
var otherErrors = strings.Fields(`
endpoint warnings usage nothing-to-train no-model missing-path no-permission disk-full address-in-use timeout other`)

var documentedCode = regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|")

// errorNames are the codes that docs/problems.md lists, and the other errors.
var errorNames = sync.OnceValue(func() []string {
	var codes []string
	for _, row := range documentedCode.FindAllStringSubmatch(docs.Problems, -1) {
		codes = append(codes, row[1])
	}
	return append(codes, otherErrors...)
})
