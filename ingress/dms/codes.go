package dms

import (
	"net/http"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/apigw"
)

// Source: DMS for RocketMQ API reference, "Error codes"; which of the two codes for a missing topic the service
// sends was read from the acceptance tests of gophertelekomcloud.
var (
	errProject      = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400002", Text: "The project ID format is invalid."}
	errEmpty        = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400004", Text: "The request body is empty."}
	errNotJSON      = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400005", Text: "The message body is not in JSON format or contains invalid characters."}
	errEngine       = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400007", Text: "Unsupported type."}
	errInstance     = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400030", Text: "Invalid DMS instance id. The id must be a uuid."}
	errRequest      = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400800", Text: "Invalid request parameter."}
	errTopic        = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00050004", Text: "Topic does not exist."}
	errTopicExists  = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.40050005", Text: "The requested topic already exists."}
	errTopicLimit   = &apigw.Error{Status: http.StatusBadRequest, Code: errRequest.Code, Text: "The instance has as many topics as it may have."} // no code is published
	errBodySize     = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.10540011", Text: "The message body is larger than 4194304 bytes."}
	errPropertySize = &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.10540012", Text: "The message properties are larger than 16384 bytes."}
	errReadOnly     = &apigw.Error{Status: http.StatusForbidden, Code: "DMS.00403002", Text: "The topic is read-only."}
	errNoRoute      = &apigw.Error{Status: http.StatusNotFound, Code: "DMS.00404001", Text: "The requested URL does not exist."}
	errMethod       = &apigw.Error{Status: http.StatusMethodNotAllowed, Code: "DMS.00405001", Text: "This method is not allowed."}
	errInternal     = &apigw.Error{Status: http.StatusInternalServerError, Code: "DMS.00500000", Text: "Internal service error."}
	errNotOffered   = &apigw.Error{Status: http.StatusNotImplemented, Code: "DMS.111501026", Text: "Fanfare does not offer this operation."}
	errClosing      = &apigw.Error{Status: http.StatusServiceUnavailable, Code: errInternal.Code, Text: errInternal.Text}

	errName       = errParameter("name")
	errTopicField = errParameter("topic")
	errBody       = errParameter("body")
	errProperties = errParameter("property_list")
	errLimit      = errParameter("limit")
	errOffset     = errParameter("offset")
)

// errParameter is the error of a field or query parameter.
func errParameter(name string) *apigw.Error {
	return &apigw.Error{Status: http.StatusBadRequest, Code: "DMS.00400062", Text: "Invalid " + name + " parameter in the request."}
}

// codes says what each of the engine's errors is in this protocol. Those that no operation here can run into
// have the nearest code.
var codes = ingress.ErrorTable[*apigw.Error]{
	{engine.ErrTopicNotFound, errTopic},
	{engine.ErrTopicExists, errTopicExists},
	{engine.ErrSubscriptionNotFound, errRequest},
	{engine.ErrSubscriptionExists, errRequest},
	{engine.ErrTokenInvalid, errRequest},
	{engine.ErrTopicLimit, errTopicLimit},
	{engine.ErrSubscriptionLimit, errRequest},
	{engine.ErrInvalid, errRequest},
	{engine.ErrHeldNotFound, errInternal},
	{engine.ErrBusy, apigw.ErrThrottled},
	{engine.ErrUnavailable, errInternal},
	{engine.ErrClosed, errClosing},
}

// codeOf finds an engine's error in the table.
func codeOf(err error) *apigw.Error {
	return codes.Find(err, errInternal)
}
