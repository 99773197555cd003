package golden

// Project compares how the files of projects are read and judged.
func Project() []Check {
	return []Check{
		{"project/file_kinds.json", fileKinds},
		{"project/domains.json", domains},
		{"project/nlu.json", nluFiles},
		{"nlu/entity_annotation.jsonl", annotations},
		{"project/endpoints.json", endpoints},
		{"project/projects.json", projects},
		{"project/training_started.json", statistics},
		{"project/data_validate.json", dataValidate},
	}
}

// recordedError is an exception of Rasa.
type recordedError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
}
