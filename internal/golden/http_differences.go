package golden

import "time"

// known is a difference from a recording that is meant. docs/compatibility.md
// explains it, below "HTTP".
type known struct {
	why     string
	tail    bool // more events come before those that were recorded; the rest is compared
	skip    bool // can't be replayed: it takes a minute, or never answers
	unbuilt bool // is no difference, but needs something that is not built
}

// What several exchanges have in common.
const (
	refusedByJWT   = "a token that can't be trusted is refused, whatever is wrong with it; Rasa answers 500"
	jwtLibrary     = "the login routes of Rasa's JWT library don't exist"
	anyOrigin      = "any origin may read, but not with credentials"
	readableErrors = "pages of listed origins can read errors, too"
	namedField     = "a wrong event is refused with 400 and the name of the field; Rasa answers 500"
	decodedIDs     = "conversation ids are percent-decoded"
	allSessions    = "ALL events are those of all sessions; Rasa's memory store forgets earlier ones"
	newState       = "the answer to execute has what the action did; Rasa's was made before it ran"
	modelServer    = "needs a model server"
	frameworkLimit = "limits of HTTP itself: other numbers, other statuses"
)

// differences are the exchanges that differ on purpose, by file and id.
var differences = map[string]known{
	"auth_jwt/user-is-string /status":                   {why: refusedByJWT},
	"auth_jwt/user-is-string /conversations/u1/tracker": {why: refusedByJWT},
	"auth_jwt/hs512 /status":                            {why: refusedByJWT},
	"auth_jwt/hs512 /conversations/u1/tracker":          {why: refusedByJWT},
	"auth_jwt/none-alg /status":                         {why: refusedByJWT},
	"auth_jwt/none-alg /conversations/u1/tracker":       {why: refusedByJWT},
	"auth_jwt/library-auth":                             {why: jwtLibrary},
	"auth_jwt/library-auth-me":                          {why: jwtLibrary},
	"auth_jwt/library-auth-verify":                      {why: jwtLibrary},
	"auth_jwt/library-auth-verify-none":                 {why: jwtLibrary},
	"auth_jwt/cors-star-preflight http://a.example":     {why: anyOrigin},
	"auth_jwt/cors-star-get http://a.example":           {why: anyOrigin},
	"auth_jwt/cors-star-401 http://a.example":           {why: readableErrors},
	"auth_jwt/admin POST /conversations/u1/execute":     {why: newState},
	"auth_jwt/user-u1 POST /conversations/u1/execute":   {why: newState},
	"auth_token/token POST /conversations/u1/execute":   {why: newState},
	"model/put-model-server-404":                        {why: modelServer, unbuilt: true},
	"model/put-model-server":                            {why: modelServer, unbuilt: true},
	"model/put-model-server-status":                     {why: modelServer, unbuilt: true},
	"model/reloaded-tracker":                            {why: "conversations in memory outlive PUT /model"},
	"server/domain-default-accept":                      {why: "a client that takes anything gets JSON"},
	"tracker/story-all-sessions":                        {why: allSessions},
	"tracker/sessions-story-all":                        {why: allSessions},
	"tracker/execute-utter":                             {why: newState},
	"tracker/execute-policy-confidence":                 {why: newState},
	"tracker/execute-custom":                            {why: newState},
	"tracker/execute-form":                              {why: newState},
	"tracker/execute-listen":                            {why: newState},
	"tracker/execute-raising":                           {why: newState},
	"tracker/execute-output-channel-callback":           {why: newState},
	"tracker/execute-output-channel-socketio":           {why: "without a Socket.IO channel the answer has what is said"},
	"tracker/messages-parse-data-partial":               {why: namedField},
	"tracker/messages-text-missing":                     {why: namedField},
	"tracker_store_sqlite/execute":                      {why: newState},
	"tracker_store_sqlite/tracker-after-put-shorter":    {why: "PUT replaces the history in SQL as well"},
	"auth_token/cors-401":                               {why: readableErrors},
	"limits/rest-slower-than-response-timeout":          {why: "a turn that takes too long is answered with 503, not with an empty list"},
	"limits/rest-tracker-after":                         {why: "what the user said is kept when a turn takes too long"},
	"limits/content-length-not-a-number":                {why: frameworkLimit},
	"limits/header-20-kb":                               {why: frameworkLimit},
	"limits/path-9-kb":                                  {why: frameworkLimit},
	"limits/body-never-finished":                        {why: frameworkLimit, skip: true},
	"limits/head-never-finished":                        {why: frameworkLimit, skip: true},
	"model/status-while-training":                       {why: "our trainings are over before anybody asks"},
	"model/train-invalid-domain":                        {why: "an invalid domain is refused; Rasa trains with an empty one"},
	"model/put-status":                                  {why: "the newest model of the folder is the one that was trained over HTTP"},
	"model/put-then-talk":                               {why: "the newest model of the folder is the one that was trained over HTTP"},
	"model/test-intents-cross-validation":               {why: "folds are cut by another chance; f1_score is a number, in Rasa always null"},
	"model/test-stories-wrong":                          {why: "stories are played in the order of the file; Rasa's order is any"},
	"model/test-intents-json-list":                      {why: "a body of the wrong shape is refused with 400; Rasa answers 500"},
	"model/test-intents-cross-validation-bad":           {why: "folds that are no number are refused with 400; Rasa answers 500"},
	"rest/stream-error":                                 {why: "a stream that fails ends; Rasa's hangs"},
	"rest/tracker-restart-all":                          {why: allSessions, tail: true},
	"tracker/tracker-ALL":                               {why: allSessions, tail: true},
	"tracker/tracker-all":                               {why: allSessions, tail: true},
	"tracker/tracker-until-second-user":                 {why: allSessions, tail: true},
	"tracker/tracker-until-between":                     {why: allSessions, tail: true},
	"tracker/sessions-tracker-2":                        {why: allSessions, tail: true},
	"tracker/tracker-id-percent-encoded-slash":          {why: decodedIDs},
	"tracker/tracker-id-unicode":                        {why: decodedIDs},
	"tracker/events-user-minimal":                       {why: namedField},
	"tracker/events-empty-list":                         {why: namedField},
	"tracker/put-events-single-object":                  {why: "PUT takes a single event as a list of one"},
	"tracker_store_sqlite/tracker-after-put-longer":     {why: "PUT replaces the history in SQL as well"},
	"tracker_events/event/reminder-2":                   {why: namedField},
	"tracker_events/event/reminder-5":                   {why: namedField},
	"tracker_events/event/user-1":                       {why: namedField},
	"tracker_events/event/user-2":                       {why: namedField},
	"tracker_events/event/action-3":                     {why: namedField},
	"tracker_events/event/action-4":                     {why: namedField},
	"tracker_events/event/user_featurization-1":         {why: "what is not said about featurization is false, not null"},
	"tracker_events/event/cancel_reminder-0":            {why: "a cancelled reminder keeps its name, intent and entities"},
	"tracker_events/event/cancel_reminder-1":            {why: "a cancelled reminder keeps its name, intent and entities"},
}

// actionDelay is how late the recorded action server was. limits.json was
// recorded with one that takes longer than the response time-out.
func (f *httpFile) actionDelay() time.Duration {
	if f.name == "limits.json" {
		return 4 * time.Second
	}
	return 0
}
