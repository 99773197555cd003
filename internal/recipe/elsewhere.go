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

	"ConveRTTokenizer":          "Rasa has removed it; use WhitespaceTokenizer",
	"LanguageModelTokenizer":    "Rasa has removed it; use WhitespaceTokenizer",
	"HFTransformersNLP":         "Rasa has removed it; use LanguageModelFeaturizer",
	"NGramFeaturizer":           "Rasa has removed it; use CountVectorsFeaturizer",
	"EmbeddingIntentClassifier": "Rasa has removed it; use DIETClassifier",
	"EmbeddingPolicy":           "Rasa has removed it; use TEDPolicy",
	"KerasPolicy":               "Rasa has removed it; use TEDPolicy",
	"SklearnPolicy":             "Rasa has removed it; use TEDPolicy",
	"FallbackPolicy":            "Rasa has removed it; use FallbackClassifier and RulePolicy",
	"TwoStageFallbackPolicy":    "Rasa has removed it; use FallbackClassifier and RulePolicy",
	"FormPolicy":                "Rasa has removed it; use RulePolicy",
	"MappingPolicy":             "Rasa has removed it; use RulePolicy",
}
