package sqs

import (
	"errors"
	"fmt"

	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Source: Amazon SQS API reference, "Common Errors" and the errors of each action; codes of the query protocol from the
// service model of the SDKs; texts as recorded from AWS by public test suites.

// fault is what the face answers when it refuses. The JSON protocol calls it by its shape, the query protocol by its code;
// where they are the same word the code is empty.
type fault struct {
	status int
	shape  string
	code   string
	text   string
}

func (f *fault) Error() string { return f.queryCode() + ": " + f.text }

func (f *fault) queryCode() string {
	if f.code == "" {
		return f.shape
	}
	return f.code
}

const (
	servicePrefix = "AWS.SimpleQueueService."
	noGroup       = "The request must contain the parameter MessageGroupId."

	shapeInvalid   = "InvalidParameterValueException"
	codeInvalid    = "InvalidParameterValue"
	shapeMissing   = "MissingRequiredParameterException"
	codeMissing    = "MissingParameter"
	shapeMalformed = "SerializationException"
	codeMalformed  = "MalformedInput"
	codeThrottled  = "RequestThrottled"
	codeGone       = "ServiceUnavailable"
)

// isCommon reports whether a shape belongs to all services of AWS: its name in JSON has another prefix.
func isCommon(shape string) bool {
	switch shape {
	case shapeInvalid, shapeMissing, shapeMalformed, "UnknownOperationException", "AccessDeniedException", "InternalFailure",
		"ServiceUnavailableException", "RequestTimeoutException", "MissingAuthenticationToken", "InvalidClientTokenId",
		"SignatureDoesNotMatch", "IncompleteSignature", "RequestExpired", "MalformedQueryString":
		return true
	}
	return false
}

// Faults without parts that vary.
var (
	errPath      = &fault{404, "UnknownOperationException", "InvalidAction", "The path is not served; use / or the path of a queue."}
	errMethod    = &fault{405, "UnknownOperationException", "InvalidAction", "The method is not allowed; use POST."}
	errNoAction  = &fault{400, "UnknownOperationException", "MissingAction", "The request is missing an action."}
	errSyntax    = &fault{400, shapeMalformed, codeMalformed, "The body of the request is not a JSON object."}
	errStructure = &fault{400, shapeMalformed, codeMalformed, "A member of the request has another type than the service wants."}
	errEncoding  = &fault{400, shapeMalformed, "MalformedQueryString", "The query string contains a syntax error."}
	errNotUTF8   = &fault{400, shapeMalformed, codeMalformed, "The request has text that is not UTF-8."}
	errTooLarge  = &fault{400, shapeInvalid, codeInvalid, "One or more parameters are invalid. Reason: The request is too long."}

	errListTooLong = &fault{400, shapeInvalid, codeInvalid, fmt.Sprintf("One or more parameters are invalid. Reason: A list has more than %d members.", listMax)}

	errNoQueue   = &fault{400, "QueueDoesNotExist", servicePrefix + "NonExistentQueue", "The specified queue does not exist."}
	errNoSource  = &fault{404, "ResourceNotFoundException", "", "The resource that you specified for the SourceArn parameter doesn't exist."}
	errNoGoal    = &fault{404, "ResourceNotFoundException", "", "The resource that you specified for the DestinationArn parameter doesn't exist."}
	errNoTask    = &fault{404, "ResourceNotFoundException", "", "Task does not exist."}
	errReceipt   = &fault{404, "ReceiptHandleIsInvalid", "", "The input receipt handle is invalid."}
	errOverLimit = &fault{403, "OverLimit", "", "The maximum number of in flight messages is reached."}

	errContents = &fault{400, "InvalidMessageContents", "", "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | " +
		"#x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"}
	errNoGroup  = &fault{400, shapeMissing, codeMissing, noGroup}
	errNoGroups = &fault{400, shapeInvalid, codeInvalid, noGroup} // as a batch says it
	errDedup    = &fault{400, shapeInvalid, codeInvalid, "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"}

	errBatchIDs = &fault{400, "BatchEntryIdsNotDistinct", servicePrefix + "BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id."}
	errBatchID  = &fault{400, "InvalidBatchEntryId", servicePrefix + "InvalidBatchEntryId", "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters long."}

	errThrottled   = &fault{403, codeThrottled, "", "The request was denied due to request throttling."}
	errUnavailable = &fault{503, "ServiceUnavailableException", codeGone, "The request has failed due to a temporary failure of the server."}
	errInternal    = &fault{500, "InternalFailure", "InternalError", "The request processing has failed because of an unknown error, exception or failure."}
)

// invalid is an InvalidParameterValue.
func invalid(format string, args ...any) error {
	return &fault{400, shapeInvalid, codeInvalid, fmt.Sprintf(format, args...)}
}

// invalidParam is the InvalidParameterValue of one parameter.
func invalidParam(value, name, reason string) error {
	return invalid("Value %s for parameter %s is invalid. Reason: %s", value, name, reason)
}

// missing is a MissingParameter.
func missing(name string) error {
	return &fault{400, shapeMissing, codeMissing, "The request must contain the parameter " + name + "."}
}

func unknownAttribute(name string) error {
	return &fault{400, "InvalidAttributeName", "", "Unknown Attribute " + name + "."}
}

func badAttribute(name string) error {
	return &fault{400, "InvalidAttributeValue", "", "Invalid value for the parameter " + name + "."}
}

func unsupported(text string) error {
	return &fault{400, "UnsupportedOperation", servicePrefix + "UnsupportedOperation", text}
}

// unknownAction refuses an action, or an API version.
func unknownAction(action string) error {
	return &fault{400, "UnknownOperationException", "InvalidAction", "The action " + aws.Shorten(action) + " is not valid for this endpoint."}
}

// wrongKind refuses a value of another type than its parameter has.
func wrongKind(kind scan.JSONKind, number bool) error {
	found := "VALUE"
	switch kind {
	case scan.JSONString:
		found = "STRING_VALUE"
	case scan.JSONNumber:
		found = "NUMBER_VALUE"
	case scan.JSONTrue:
		found = "TRUE_VALUE"
	case scan.JSONFalse:
		found = "FALSE_VALUE"
	case scan.JSONObject, scan.JSONArray:
		found = "START_OF_STRUCTURE"
	default: // a key or an end cannot stand for a value
	}
	want := "a String"
	if number {
		want = "an Integer"
	}
	return &fault{400, shapeMalformed, codeMalformed, found + " can not be converted to " + want}
}

// codes maps the errors of the engine and of the scanner.
var codes = ingress.ErrorTable[*fault]{
	{scan.ErrFormEscape, errEncoding},
	{engine.ErrQueueNotFound, errNoQueue},
	{engine.ErrTopicNotFound, errNoQueue}, // a queue that is deleted while a message is sent to it
	{engine.ErrQueueLimit, &fault{403, "OverLimit", "", "There are as many queues as there may be."}},
	{engine.ErrReceiptInvalid, errReceipt},
	{engine.ErrReceiptExpired, &fault{400, shapeInvalid, codeInvalid, "The receipt handle has expired"}},
	{engine.ErrNotInFlight, &fault{400, shapeInvalid, codeInvalid, "The message is not available for visibility timeout change."}},
	{engine.ErrInFlightLimit, errOverLimit},
	{engine.ErrReceiverLimit, errThrottled},
	{engine.ErrMoveRunning, &fault{400, shapeInvalid, codeInvalid, "There is already a task running. Only one active task is allowed for a source queue arn at a given time."}},
	{engine.ErrMoveNotFound, errNoTask},
	{engine.ErrDocumentLimit, &fault{403, "OverLimit", "", "There are as many tasks as there may be."}},
	{engine.ErrInvalid, &fault{400, shapeInvalid, codeInvalid, "One or more parameters are invalid."}},
	{engine.ErrBusy, errThrottled},
	{engine.ErrUnavailable, errUnavailable},
	{engine.ErrClosed, errUnavailable},
}

// faultOf finds what to answer to an error.
func faultOf(err error) *fault {
	var own *fault
	if errors.As(err, &own) {
		return own
	}
	var field *engine.FieldError
	if errors.As(err, &field) {
		return &fault{400, shapeInvalid, codeInvalid, "One or more parameters are invalid. Reason: " + field.Error()}
	}
	return codes.Find(err, errInternal)
}

// refuse answers with an error.
func (c *call) refuse(err error) {
	f := faultOf(err)
	if f.shape == codeThrottled || f.status == fasthttp.StatusServiceUnavailable {
		c.ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	kind := "Sender"
	if f.status >= 500 {
		kind = "Receiver"
	}
	w := &c.out
	w.reset(c.json)
	if c.json {
		prefix := "com.amazonaws.sqs#"
		if isCommon(f.shape) {
			prefix = "com.amazon.coral.service#"
		}
		w.open()
		w.str("__type", prefix+f.shape)
		w.str("message", f.text)
		w.close()
		if len(c.head.Header.PeekCanonical(headerQueryMode)) > 0 {
			c.ctx.Response.Header.SetCanonical(headerQueryError, []byte(f.queryCode()+";"+kind))
		}
		c.send(f.status)
		return
	}
	w.root("ErrorResponse", "")
	w.element("Error")
	w.str("Type", kind)
	w.str("Code", f.queryCode())
	w.str("Message", f.text)
	w.raw("<Detail/>")
	w.endElement("Error")
	c.requestID()
	w.endElement("ErrorResponse")
	c.send(f.status)
}

var (
	headerQueryMode  = []byte("X-Amzn-Query-Mode")
	headerQueryError = []byte("x-amzn-query-error")
)
