package smn

import (
	"net/http"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
)

// Source: SMN API reference, "Error codes". Status, code and text are the published ones; where nothing is
// published the comment says so.
var (
	errNoPermission    = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0001", Text: "No permission to request resources."}
	errName            = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0002", Text: "Parameter: Name is invalid."}
	errDisplayName     = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0003", Text: "Parameter: DisplayName is invalid."}
	errTopics          = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0004", Text: "Exceeded topic limit."}
	errTopicURN        = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0005", Text: "Parameter: TopicUrn is invalid."}
	errTopic           = &apigw.Error{Status: http.StatusNotFound, Code: "SMN.0006", Text: "Topic not found."}
	errSubscriptions   = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0007", Text: "Exceeded subscription limit."}
	errSubject         = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0008", Text: "Parameter: Subject is invalid."}
	errMessage         = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0009", Text: "Parameter: Message is invalid."}
	errProtocol        = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0011", Text: "Parameter: Protocol is invalid."}
	errEndpoint        = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0012", Text: "Parameter: Endpoint is invalid."}
	errSubscription    = &apigw.Error{Status: http.StatusNotFound, Code: "SMN.0013", Text: "Subscription resource not found."}
	errSubscriptionURN = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0014", Text: "Parameter: SubscriptionUrn is invalid."}
	errPage            = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0015", Text: "Parameter: Offset or limit is invalid."}
	errDatabase        = &apigw.Error{Status: http.StatusInternalServerError, Code: "SMN.0016", Text: "Database Exceptions."}
	errRemark          = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0017", Text: "Parameter: Remark is invalid."}
	errInternal        = &apigw.Error{Status: http.StatusInternalServerError, Code: "SMN.0018", Text: "Service internal error."}
	errStructure       = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0021", Text: "MessageStructure is invalid."}
	errToken           = &apigw.Error{Status: http.StatusForbidden, Code: "SMN.0022", Text: "Parameter: token is invalid."}
	errTemplate        = &apigw.Error{Status: http.StatusNotFound, Code: "SMN.0027", Text: "Template not found."}
	errTemplateName    = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0032", Text: "Parameter: message_template_name is invalid."}
	errTags            = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0038", Text: "Parameter: tag is invalid."}
	errExtension       = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0043", Text: "Parameter: subscription is invalid."}
	errStatus          = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0077", Text: "Parameter: Status is invalid."}
	errRemarkLength    = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0082", Text: "Parameter: Remark is too long."} // text not published

	// No code is published for these two; they are faults of what is published, so they have the message's.
	errTimeToLive = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0009", Text: "Parameter: time_to_live is invalid."}
	errAttributes = &apigw.Error{Status: http.StatusBadRequest, Code: "SMN.0009", Text: "Parameter: message_attributes is invalid."}

	errProject    = errNoPermission.With("The project id in the path must be 32 hexadecimal digits.")
	errDeclared   = errNoPermission.With("The subscription is declared in the configuration.")
	errNotJSON    = apigw.ErrRequest.With("The body is not a JSON object.")
	errClosing    = &apigw.Error{Status: http.StatusServiceUnavailable, Code: errInternal.Code, Text: errInternal.Text}
	errNotOffered = &apigw.Error{Status: http.StatusNotImplemented, Code: errInternal.Code, Text: "Fanfare does not offer this operation."}
)

// codes says what each of the engine's errors is in this protocol. Those that no operation here can run
// into have the nearest code.
var codes = ingress.ErrorTable[*apigw.Error]{
	{engine.ErrTopicNotFound, errTopic},
	{engine.ErrTopicExists, errName},
	{engine.ErrSubscriptionNotFound, errSubscription},
	{engine.ErrSubscriptionExists, errExtension},
	{engine.ErrTokenInvalid, errToken},
	{engine.ErrTopicLimit, errTopics},
	{engine.ErrSubscriptionLimit, errSubscriptions},
	{engine.ErrInvalid, apigw.ErrRequest},
	{engine.ErrHeldNotFound, errInternal},
	{engine.ErrBusy, apigw.ErrThrottled},
	{engine.ErrUnavailable, errDatabase},
	{engine.ErrClosed, errClosing},
}

// codeOf finds an engine's error in the table.
func codeOf(err error) *apigw.Error {
	return codes.Find(err, errInternal)
}
