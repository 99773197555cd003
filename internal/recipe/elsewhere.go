package recipe

// elsewhere tells what became of components that Rasa 3.6 does not know: those of
// its commercial line, and those that it had before 3.0.
var elsewhere = map[string]string{
	"LLMCommandGenerator":            "it belongs to flows and language models, which are not built yet",
	"SingleStepLLMCommandGenerator":  "it belongs to flows and language models, which are not built yet",
	"MultiStepLLMCommandGenerator":   "it belongs to flows and language models, which are not built yet",
	"CompactLLMCommandGenerator":     "it belongs to flows and language models, which are not built yet",
	"SearchReadyLLMCommandGenerator": "it belongs to flows and language models, which are not built yet",
	"NLUCommandAdapter":              "it belongs to flows, which are not built yet",
	"FlowPolicy":                     "it belongs to flows, which are not built yet",
	"EnterpriseSearchPolicy":         "it belongs to flows and language models, which are not built yet",
	"IntentlessPolicy":               "it belongs to flows and language models, which are not built yet",

	"ConveRTTokenizer":          "Rasa 2 removed it; use WhitespaceTokenizer",
	"LanguageModelTokenizer":    "Rasa 3 removed it; use WhitespaceTokenizer",
	"HFTransformersNLP":         "Rasa 3 removed it; use LanguageModelFeaturizer",
	"NGramFeaturizer":           "Rasa 1 removed it; use CountVectorsFeaturizer",
	"EmbeddingIntentClassifier": "Rasa 2 removed it; use DIETClassifier",
	"EmbeddingPolicy":           "Rasa 2 removed it; use TEDPolicy",
	"KerasPolicy":               "Rasa 2 removed it; use TEDPolicy",
	"SklearnPolicy":             "Rasa 3 removed it; use TEDPolicy",
	"FallbackPolicy":            "Rasa 3 removed it; use FallbackClassifier and RulePolicy",
	"TwoStageFallbackPolicy":    "Rasa 3 removed it; use FallbackClassifier and RulePolicy",
	"FormPolicy":                "Rasa 3 removed it; use RulePolicy",
	"MappingPolicy":             "Rasa 3 removed it; use RulePolicy",
}
