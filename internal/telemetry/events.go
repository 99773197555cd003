package telemetry

// Event is one thing that happened. Only the structs of this file are events, so
// that this file is the complete list of what a report can hold besides Context.
type Event interface{ is() event }

// event makes a struct one. The tag of the embedded field says for people and
// machines what it is called, when it is recorded, why that is of use, and whether
// it stays on this machine.
type event struct {
	MetricsID *ID `json:"metrics_id" doc:"the identifier of this installation, as userId"` // set by encode
}

func (e event) is() event { return e }

// catalogue lists all events.
var catalogue = []Event{
	TrainingStarted{}, TrainingCompleted{}, TrainingFailed{}, TrainingDataValidated{}, TrainingDataSplit{}, TrainingDataConverted{},
	ModelNLUTested{}, ModelCoreTested{}, ServerStarted{}, ShellStarted{}, InteractiveLearningStarted{},
	StoryVisualizationStarted{}, MarkersExtractionInitiated{}, MarkersParsed{}, MarkersExtracted{},
	MarkersStatisticsComputed{}, ProjectCreated{}, ErrorEncountered{}, TelemetryDisabled{},
}

// The events. The tag of each says when it is recorded, that of a field what it tells.
type (
	TrainingStarted struct {
		event      `name:"Training Started" when:"a training begins, on the command line or over HTTP, after its data was read and checked" why:"what projects look like decides which components and sizes get attention"`
		TrainingID ID           `json:"training_id" doc:"random; the same in the event that ends this training"`
		Type       TrainingType `json:"type" doc:"which part is trained: rasa is all"`
		Language   *Language    `json:"language" doc:"the language of config.yml"`
		Pipeline   List[Item]   `json:"pipeline" doc:"names of the built-in components, completed; no settings"`
		Policies   List[Item]   `json:"policies" doc:"names of the built-in policies, completed; no settings"`

		TrainSchema   GraphSchema `json:"train_schema" doc:"whether config.yml has a graph of its own"`
		PredictSchema GraphSchema `json:"predict_schema" doc:"whether config.yml has a graph of its own"`
		Recipe        Recipe      `json:"recipe" doc:"the recipe of config.yml"`
		IsFinetuning  bool        `json:"is_finetuning" doc:"the training continues an earlier model"`

		NLUSize
		ProjectSize

		NumFlows                             Count `json:"num_flows" doc:"flows"`
		NumFlowsWithNLUTrigger               Count `json:"num_flows_with_nlu_trigger" doc:"flows that an intent starts"`
		NumFlowsWithFlowGuards               Count `json:"num_flows_with_flow_guards" doc:"flows with a condition"`
		NumFlowsWithNotStartableFlowGuards   Count `json:"num_flows_with_not_startable_flow_guards" doc:"flows with the condition false"`
		NumCollectSteps                      Count `json:"num_collect_steps" doc:"collect steps"`
		NumCollectStepsWithSeparateUtter     Count `json:"num_collect_steps_with_separate_utter" doc:"collect steps with a response of another name"`
		NumCollectStepsWithRejections        Count `json:"num_collect_steps_with_rejections" doc:"collect steps with rejections"`
		NumCollectStepsNotResetAfterFlowEnds Count `json:"num_collect_steps_with_not_reset_after_flow_ends" doc:"collect steps whose slot is kept"`
		NumSetSlotSteps                      Count `json:"num_set_slot_steps" doc:"set_slots steps"`
		MaxDepthOfIfConstruct                Count `json:"max_depth_of_if_construct" doc:"depth of branches"`
		NumCallSteps                         Count `json:"num_call_steps" doc:"call steps"`
		NumLinkSteps                         Count `json:"num_link_steps" doc:"link steps"`
		NumSharedSlotsBetweenFlows           Count `json:"num_shared_slots_between_flows" doc:"slots that several flows use"`

		LLMModel             *Model `json:"llm_command_generator_model_name" doc:"public name of the command generator's model"`
		LLMCustomPrompt      *bool  `json:"llm_command_generator_custom_prompt_used" doc:"whether the prompt is the project's own"`
		HandleFlowsPrompt    *bool  `json:"multi_step_llm_command_generator_custom_handle_flows_prompt_used" doc:"whether the prompt is the project's own"`
		FillSlotsPrompt      *bool  `json:"multi_step_llm_command_generator_custom_fill_slots_prompt_used" doc:"whether the prompt is the project's own"`
		FlowRetrievalEnabled *bool  `json:"flow_retrieval_enabled" doc:"whether flows are looked up"`
		FlowRetrievalModel   *Model `json:"flow_retrieval_embedding_model_name" doc:"public name of the embedding model"`
	}

	TrainingCompleted struct {
		event      `name:"Training Completed" when:"a training has written its model" why:"how long trainings take"`
		TrainingID ID           `json:"training_id" doc:"that of Training Started"`
		Type       TrainingType `json:"type" doc:"which part was trained"`
		Runtime    Count        `json:"runtime" doc:"seconds that the training took"`
	}

	TrainingFailed struct {
		event      `name:"Training Failed" when:"a training that had started ends with an error" why:"which errors need work"`
		TrainingID ID           `json:"training_id" doc:"that of Training Started"`
		Type       TrainingType `json:"type" doc:"which part was to be trained"`
		Runtime    Count        `json:"runtime" doc:"seconds until the error"`
		ErrorCode  ErrorCode    `json:"error_code" doc:"kind of error, from a closed list; no message"`
	}

	TrainingDataValidated struct {
		event   `name:"Training Data Validated" when:"data validate has judged a project, or train has before it begins" why:"how often validation finds something"`
		Success bool `json:"validation_success" doc:"whether the project is valid"`
	}

	TrainingDataSplit struct {
		event    `name:"Training Data Split" when:"data split has written both parts" why:"how test sets are made"`
		Fraction Ratio        `json:"fraction" doc:"share of the training part, to a tenth"`
		Type     TrainingType `json:"type" doc:"which data were split"`
	}

	TrainingDataConverted struct {
		event        `name:"Training Data Converted" when:"data convert has written its files" why:"which formats are left behind"`
		OutputFormat DataFormat   `json:"output_format" doc:"what was written"`
		Type         TrainingType `json:"type" doc:"which data were converted"`
	}

	ModelNLUTested struct {
		event `name:"Model NLU Tested" when:"a model was tested with NLU data, on the command line or over HTTP; a cross-validation counts as trainings" why:"how large test sets are"`
		NLUSize
	}

	ModelCoreTested struct {
		event         `name:"Model Core Tested" when:"a model was tested with stories, on the command line or over HTTP" why:"how large test sets are, and of which kind"`
		Project       *Hash `json:"project" doc:"salted hash of the git remote that the model was trained in"`
		NumStorySteps Count `json:"num_story_steps" doc:"blocks of test stories"`
		EndToEnd      bool  `json:"end_to_end" doc:"whether what users say is understood too: --e2e"`
	}

	ServerStarted struct {
		event           `name:"Server Started" when:"run is about to listen, or shell to talk" why:"which channels and backends get attention"`
		InputChannels   List[Channel] `json:"input_channels" doc:"built-in channels, sorted, each once"`
		APIEnabled      bool          `json:"api_enabled" doc:"--enable-api"`
		NumberOfWorkers Count         `json:"number_of_workers" doc:"always 1: one process serves"`
		NLG             *Backend      `json:"endpoints_nlg" doc:"type of the endpoint"`
		NLU             *Backend      `json:"endpoints_nlu" doc:"type of the endpoint"`
		ActionServer    *Backend      `json:"endpoints_action_server" doc:"type of the endpoint"`
		ModelServer     *Backend      `json:"endpoints_model_server" doc:"type of the endpoint"`
		TrackerStore    *Backend      `json:"endpoints_tracker_store" doc:"type of the endpoint"`
		LockStore       *Backend      `json:"endpoints_lock_store" doc:"type of the endpoint"`
		EventBroker     *Backend      `json:"endpoints_event_broker" doc:"type of the endpoint"`
		Tracing         *Tracing      `json:"tracing_backend" doc:"type of the first tracing backend"`
		Metrics         *Metrics      `json:"metrics_backend" doc:"type of the metrics backend"`
		Project         *Hash         `json:"project" doc:"salted hash of the git remote that the model was trained in"`
	}

	ShellStarted struct {
		event `name:"Shell Started" when:"shell has loaded its model" why:"how people try out models"`
		Type  TrainingType `json:"type" doc:"nlu for shell nlu and models of NLU alone"`
	}

	InteractiveLearningStarted struct {
		event             `name:"Interactive Learning Started" when:"interactive is about to ask for the first message" why:"how people write stories"`
		SkipVisualization bool `json:"skip_visualization" doc:"--skip-visualization"`
		SaveInE2E         bool `json:"save_in_e2e" doc:"--e2e"`
	}

	StoryVisualizationStarted struct {
		event `name:"Story Visualization Started" when:"visualize begins" why:"how people look at stories"`
	}

	MarkersExtractionInitiated struct {
		event       `name:"Markers Extraction Initiated" when:"evaluate markers is about to read conversations" why:"how conversations are judged"`
		Strategy    Strategy `json:"strategy" doc:"which conversations are read"`
		OnlyExtract bool     `json:"only_extract" doc:"--no-stats: no statistics are wanted"`
		Seed        bool     `json:"seed" doc:"whether a seed was given"`
		Count       *Count   `json:"count" doc:"how many conversations were asked for; null for all"`
	}

	MarkersParsed struct {
		event           `name:"Markers Parsed" when:"evaluate markers has read the definitions of markers" why:"how large such definitions are"`
		MarkerCount     Count `json:"marker_count" doc:"markers at the top"`
		MaxDepth        Count `json:"max_depth" doc:"depth of the tree of conditions"`
		BranchingFactor Count `json:"branching_factor" doc:"most conditions below one operator"`
	}

	MarkersExtracted struct {
		event         `name:"Markers Extracted" when:"evaluate markers has found its markers in conversations" why:"how many conversations are judged"`
		TrackersCount Count `json:"trackers_count" doc:"conversations"`
	}

	MarkersStatisticsComputed struct {
		event         `name:"Markers Statistics Computed" when:"evaluate markers has computed its statistics" why:"how many conversations are judged"`
		TrackersCount Count `json:"trackers_count" doc:"conversations"`
	}

	ProjectCreated struct {
		event    `name:"Project Created" when:"init is about to write a project" why:"how many people begin"`
		Template Template `json:"template" doc:"which starter project"`
	}

	ErrorEncountered struct {
		event     `name:"Error Encountered" when:"a command ends with an error" why:"which errors people meet, to explain or prevent them"`
		Command   Command   `json:"command" doc:"the command"`
		ErrorCode ErrorCode `json:"error_code" doc:"kind of error, from a closed list; no message"`
		Stage     Stage     `json:"stage" doc:"what the command was doing"`
	}

	TelemetryDisabled struct {
		event `name:"Telemetry Disabled" when:"telemetry disable was run" why:"written to the local log; never sent" local:"only"`
	}
)

// NLUSize counts NLU data. Its fields are those of project.NLUStatistics.
type NLUSize struct {
	IntentExamples Count `json:"num_intent_examples" doc:"NLU examples with an intent"`
	EntityExamples Count `json:"num_entity_examples" doc:"NLU examples with an entity"`
	LookupTables   Count `json:"num_lookup_tables" doc:"lookup tables"`
	Synonyms       Count `json:"num_synonyms" doc:"surface forms of synonyms"`
	Regexes        Count `json:"num_regexes" doc:"regular expressions"`
}

// ProjectSize counts the rest of a project. Its fields are those of project.Statistics.
type ProjectSize struct {
	Actions                       Count `json:"num_actions" doc:"actions, with those that every assistant has"`
	Responses                     Count `json:"num_templates" doc:"responses"`
	ConditionalResponseVariations Count `json:"num_conditional_response_variations" doc:"variations of responses with a condition"`
	SlotMappings                  Count `json:"num_slot_mappings" doc:"mappings of slots"`
	CustomSlotMappings            Count `json:"num_custom_slot_mappings" doc:"mappings of type custom"`
	ConditionalSlotMappings       Count `json:"num_conditional_slot_mappings" doc:"mappings with conditions"`
	Slots                         Count `json:"num_slots" doc:"slots, with automatic ones"`
	Forms                         Count `json:"num_forms" doc:"forms"`
	Intents                       Count `json:"num_intents" doc:"intents, with the five that every assistant has"`
	Entities                      Count `json:"num_entities" doc:"kinds of entities"`
	StorySteps                    Count `json:"num_story_steps" doc:"blocks of stories and rules"`
}

// Item is a component in a pipeline or a policy.
type Item struct {
	Name Component `json:"name" doc:"name of a built-in component, as written"`
	LLM  *LLM      `json:"llm,omitempty" doc:"the language model of a component that has one"`
}

// LLM is the public part of a language model's settings.
type LLM struct {
	Provider       *Provider `json:"provider,omitempty" doc:"known provider"`
	ModelName      *Model    `json:"model_name,omitempty" doc:"public name of a model"`
	Model          *Model    `json:"model,omitempty" doc:"public name of a model"`
	RequestTimeout *Count    `json:"request_timeout,omitempty" doc:"seconds"`
}
