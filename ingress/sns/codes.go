package sns

import (
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Source: Amazon SNS API reference, "Common Errors" and the errors of each action.

// fault is what the face answers when it refuses.
type fault struct {
	status int
	code   string
	text   string
}

func (f *fault) Error() string { return f.code + ": " + f.text }

// Codes used in many places.
const (
	codeInvalid      = "InvalidParameter"
	codeInvalidValue = "ParameterValueInvalid"
	codeValidation   = "ValidationError"
)

// Faults without parts that vary.
var (
	errPath     = &fault{404, "InvalidAction", "The path is not served; use /."}
	errMethod   = &fault{405, "InvalidAction", "The method is not allowed; use POST."}
	errNoAction = &fault{400, "MissingAction", "The request is missing an action or a required parameter: Action."}
	errEncoding = &fault{400, "MalformedQueryString", "The query string contains a syntax error."}

	errSubject     = &fault{400, codeInvalid, "Invalid parameter: Subject"}
	errEmpty       = &fault{400, codeInvalid, "Invalid parameter: Empty message"}
	errNotUTF8     = &fault{400, codeInvalid, "Invalid parameter: Message Reason: the text is not UTF-8"}
	errTooLong     = &fault{400, codeInvalid, "Invalid parameter: Message too long"}
	errNoTarget    = &fault{400, codeInvalid, "Invalid parameter: TopicArn or TargetArn Reason: no value for required parameter"}
	errTwoTargets  = &fault{400, codeInvalid, "Invalid parameter: TopicArn or TargetArn Reason: exactly one of TopicArn, TargetArn and PhoneNumber must be given"}
	errNoEndpoint  = &fault{400, codeInvalid, "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified"}
	errGroup       = &fault{400, codeInvalid, "Invalid parameter: MessageGroupId"}
	errDedupID     = &fault{400, codeInvalid, "Invalid parameter: MessageDeduplicationId"}
	errNoGroup     = &fault{400, codeInvalid, "Invalid parameter: The MessageGroupId parameter is required for FIFO topics"}
	errNoDedup     = &fault{400, codeInvalid, "Invalid parameter: The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}
	errDedup       = &fault{400, codeInvalid, "Invalid parameter: MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type"}
	errStructure   = &fault{400, codeInvalid, "Invalid parameter: MessageStructure"}
	errNotJSON     = &fault{400, codeInvalid, "Invalid parameter: Message Structure - JSON message body failed to parse"}
	errNoDefault   = &fault{400, codeInvalid, "Invalid parameter: Message Structure - No default entry in JSON message body"}
	errBatchEmpty  = &fault{400, "EmptyBatchRequest", "The batch request doesn't contain any entries."}
	errBatchMany   = &fault{400, "TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible."}
	errBatchIDs    = &fault{400, "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."}
	errBatchLength = &fault{400, "BatchRequestTooLong", "The length of all the messages put together is more than the limit."}
)

// invalid is an InvalidParameter.
func invalid(format string, args ...any) error {
	return &fault{400, codeInvalid, "Invalid parameter: " + fmt.Sprintf(format, args...)}
}

func noValue(name string) error { return invalid("%s Reason: no value for required parameter", name) }

func duplicateParameter(name []byte) error {
	return invalid("%s Reason: the parameter is given more than once", aws.Shorten(name))
}

// unknownAction refuses an action, or an API version.
func unknownAction(action, version string) error {
	return &fault{400, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", aws.Shorten(action), aws.Shorten(version))}
}

// codes maps the errors of the engine and of the scanner.
var codes = ingress.ErrorTable[*fault]{
	{scan.ErrFormEscape, errEncoding},
	{engine.ErrTopicNotFound, &fault{404, "NotFound", "Topic does not exist"}},
	{engine.ErrTopicExists, &fault{400, codeInvalid, "Invalid parameter: Attributes Reason: Topic already exists with different attributes"}},
	{engine.ErrSubscriptionNotFound, &fault{404, "NotFound", "Subscription does not exist"}},
	{engine.ErrSubscriptionExists, &fault{400, codeInvalid, "Invalid parameter: Attributes Reason: Subscription already exists with different attributes"}},
	{engine.ErrTokenInvalid, &fault{400, codeInvalid, "Invalid parameter: Token"}},
	{engine.ErrTopicLimit, &fault{403, "TopicLimitExceeded", "Maximum number of topics reached"}},
	{engine.ErrSubscriptionLimit, &fault{403, "SubscriptionLimitExceeded", "Maximum number of subscriptions reached"}},
	{engine.ErrInvalid, &fault{400, codeInvalid, "Invalid parameter"}},
	{engine.ErrDocumentLimit, &fault{400, codeInvalid, "Invalid parameter: Reason: there are as many applications, endpoints and phone numbers as there may be"}},
	{engine.ErrHeldNotFound, &fault{404, "NotFound", "Resource does not exist"}},
	{engine.ErrBusy, &fault{400, "Throttling", "Rate exceeded"}},
	{engine.ErrUnavailable, &fault{503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."}},
	{engine.ErrClosed, &fault{503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."}},
}

var errInternal = &fault{500, "InternalError", "The request processing has failed because of an unknown error, exception or failure."}

// faultOf finds what to answer to an error.
func faultOf(err error) *fault {
	var own *fault
	if errors.As(err, &own) {
		return own
	}
	var field *engine.FieldError
	if errors.As(err, &field) {
		name := field.Field
		if name == "endpoint" {
			name = "Endpoint"
		}
		return &fault{400, codeInvalid, "Invalid parameter: " + name + " Reason: " + field.Reason}
	}
	return codes.Find(err, errInternal)
}

// refuse answers with an error.
func (c *call) refuse(err error) {
	f := faultOf(err)
	if f.code == "Throttling" || f.status == fasthttp.StatusServiceUnavailable {
		c.ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	kind := "Sender"
	if f.status >= 500 {
		kind = "Receiver"
	}
	c.out.reset()
	c.out.root("ErrorResponse", "")
	c.out.open("Error", "")
	c.out.leaf("Type", kind)
	c.out.leaf("Code", f.code)
	c.out.leaf("Message", f.text)
	c.out.close("Error", "")
	c.requestID()
	c.out.close("ErrorResponse", "")
	c.send(f.status)
}
