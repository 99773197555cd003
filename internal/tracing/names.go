package tracing

import (
	"go.opentelemetry.io/otel/attribute"
)

// scopeName is the instrumentation scope of every span.
const scopeName = "github.com/loquat-dev/loquat"

// Names of spans. Those with a class and a method are Rasa's; the class of a
// lock store, tracker store, executor, policy or graph component stands in front
// of the method.
const (
	spanTrain        = "loquat train"
	spanTestNLU      = "loquat test nlu"
	spanTestCore     = "loquat test core"
	spanGraphTrainer = "GraphTrainer.train"
	spanPackage      = "GraphTrainer.package"
	spanGraphNode    = "GraphNode."   // + class
	spanPrediction   = "._prediction" // after a class
	spanLock         = ".lock"        // after a class
	spanStreamEvents = "._stream_new_events"
	spanExecutor     = "HTTPCustomActionExecutor.run"
	spanGRPCExecutor = "GRPCCustomActionExecutor.run"
	spanGRPCRequest  = "GRPCCustomActionExecutor._request"
	spanRequest      = "EndpointConfig.request"
)

// Names of events of spans.
const (
	eventException = "exception"
	eventRejected  = "action_execution_rejected"
)

// Attributes that Rasa documents.
const (
	attrInputChannel    = attribute.Key("input_channel")
	attrSenderID        = attribute.Key("sender_id")
	attrMessageID       = attribute.Key("message_id")
	attrModelID         = attribute.Key("model_id")
	attrModelName       = attribute.Key("model_name")
	attrLockStoreClass  = attribute.Key("lock_store_class")
	attrEvents          = attribute.Key("number_of_events")
	attrStreamedEvents  = attribute.Key("number_of_streamed_events")
	attrBrokerClass     = attribute.Key("broker_class")
	attrActionName      = attribute.Key("action_name")
	attrExecutorClass   = attribute.Key("executor_class_name")
	attrClass           = attribute.Key("class_name")
	attrActionsModule   = attribute.Key("actions_module")
	attrURL             = attribute.Key("url")
	attrRequestSize     = attribute.Key("request_body_size_in_bytes")
	attrIntentName      = attribute.Key("intent_name")
	attrRequestedSlot   = attribute.Key("requested_slot")
	attrNodeName        = attribute.Key("node_name")
	attrComponentClass  = attribute.Key("component_class")
	attrFnName          = attribute.Key("fn_name")
	attrPolicy          = attribute.Key("policy")
	attrPriority        = attribute.Key("priority")
	attrEventList       = attribute.Key("events")
	attrOptionalEvents  = attribute.Key("optional_events")
	attrFlows           = attribute.Key("flows")
	attrUtters          = attribute.Key("utters")
	attrEndToEnd        = attribute.Key("is_end_to_end_prediction")
	attrNoUser          = attribute.Key("is_no_user_prediction")
	attrDiagnosticData  = attribute.Key("diagnostic_data")
	attrActionMetadata  = attribute.Key("action_metadata")
	attrTrainingType    = attribute.Key("training_type")
	attrLanguage        = attribute.Key("language")
	attrRecipe          = attribute.Key("recipe_name")
	attrOutputFilename  = attribute.Key("output_filename")
	attrFinetuning      = attribute.Key("is_finetuning")
	attrModelType       = attribute.Key("model_type")
	attrModelFile       = attribute.Key("model_file")
	attrFileSize        = attribute.Key("file.size")
	attrFingerprint     = attribute.Key("project.fingerprint")
	attrTrainingOutcome = attribute.Key("outcome")
)

// Attributes of ours and of OpenTelemetry's conventions.
const (
	attrTurnOutcome    = attribute.Key("loquat.turn.outcome")
	attrConversation   = attribute.Key("gen_ai.conversation.id")
	attrLockWait       = attribute.Key("loquat.lock.wait_ms")
	attrCacheHit       = attribute.Key("loquat.cache.hit")
	attrErrorType      = attribute.Key("error.type")
	attrExceptionType  = attribute.Key("exception.type")
	attrExceptionText  = attribute.Key("exception.message")
	attrHTTPMethod     = attribute.Key("http.request.method")
	attrHTTPRoute      = attribute.Key("http.route")
	attrHTTPStatus     = attribute.Key("http.response.status_code")
	attrURLPath        = attribute.Key("url.path")
	attrURLScheme      = attribute.Key("url.scheme")
	attrURLFull        = attribute.Key("url.full")
	attrServerAddress  = attribute.Key("server.address")
	attrServerPort     = attribute.Key("server.port")
	attrClientAddress  = attribute.Key("client.address")
	attrUserAgent      = attribute.Key("user_agent.original")
	attrProtocol       = attribute.Key("network.protocol.version")
	attrRPCMethod      = attribute.Key("rpc.method")
	attrRPCStatus      = attribute.Key("rpc.status_code")
	attrServiceName    = attribute.Key("service.name")
	attrServiceVersion = attribute.Key("service.version")
)

// none is how Rasa writes an absent value.
const none = "None"
