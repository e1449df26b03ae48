package smq

import (
	"errors"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Source: "Error codes" of the SMQ HTTP reference, read 2026-11, and replies seen in SDK issues. Clients compare
// the codes; the texts differ from page to page.

type fault = aliyun.Fault

var (
	faultMissingAuthorization = &fault{Status: fasthttp.StatusBadRequest, Code: "MissingAuthorizationHeader", Text: "Authorization header is required."}
	faultInvalidAuthorization = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidAuthorizationHeader", Text: "The Authorization header format is invalid."}
	faultMissingVersion       = &fault{Status: fasthttp.StatusBadRequest, Code: "MissingVersionHeader", Text: "x-mns-version header is required."}
	faultInvalidURL           = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidRequestURL", Text: "Http request URL format invalid."}
	faultNotServed            = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidRequestURL", Text: "Http request URL format invalid. Only topics and their subscriptions are served here."}
	faultInvalidDigest        = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidDigest", Text: "The Content-MD5 you specified is invalid."}
	faultMalformedXML         = &fault{Status: fasthttp.StatusBadRequest, Code: "MalformedXML", Text: "The XML you provided was not well-formed."}
	faultTimeout              = &fault{Status: fasthttp.StatusRequestTimeout, Code: "TimeExpired", Text: "The http request you sent is expired."}
	faultFraming              = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The length of the request is ambiguous or wrong."}
	faultTooLarge             = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The request body is too large."}

	faultTopicNotExist          = &fault{Status: fasthttp.StatusNotFound, Code: "TopicNotExist", Text: "The topic you provided does not exist."}
	faultTopicAlreadyExist      = &fault{Status: fasthttp.StatusConflict, Code: "TopicAlreadyExist", Text: "The topic you want to create is already exist."}
	faultTopicName              = &fault{Status: fasthttp.StatusBadRequest, Code: "TopicNameInvalid", Text: "The topic name you provided is invalid. TopicName should start with alpha or digit and contain only alpha, digit or - ."}
	faultTopicNameLength        = &fault{Status: fasthttp.StatusBadRequest, Code: "TopicNameLengthError", Text: "Topic name length should between 1 and 120."}
	faultSubscriptionNotExist   = &fault{Status: fasthttp.StatusNotFound, Code: "SubscriptionNotExist", Text: "The subscription you provided does not exist."}
	faultSubscriptionExists     = &fault{Status: fasthttp.StatusConflict, Code: "SubscriptionAlreadyExist", Text: "The subscription you want to create is already exist."}
	faultSubscriptionName       = &fault{Status: fasthttp.StatusBadRequest, Code: "SubscriptionNameInvalid", Text: "The subscription name you provided is invalid. SubscriptionName should start with alpha or digit and contain only alpha, digit or - ."}
	faultSubscriptionNameLength = &fault{Status: fasthttp.StatusBadRequest, Code: "SubscriptionNameLengthError", Text: "Subscription name length should between 1 and 255."}
	faultEndpoint               = &fault{Status: fasthttp.StatusBadRequest, Code: "EndpointInvalid", Text: "The endpoint you provided is invalid."}
	faultEndpointKind           = &fault{Status: fasthttp.StatusBadRequest, Code: "EndpointInvalid", Text: "The endpoint you provided is invalid. Only http:// and https:// endpoints are served here."}

	// The reference documents 400 for the one and 500 for the other; no SDK expects 429 or 503.
	faultBusy     = &fault{Status: fasthttp.StatusBadRequest, Code: "QpsLimitExceeded", Text: "The request is too frequent, please try again later.", Again: true}
	faultInternal = &fault{Status: fasthttp.StatusInternalServerError, Code: "InternalError", Text: "Interal error."}

	faultNamespace     = aliyun.Schema("xmlns")
	faultMessage       = aliyun.Schema("Message")
	faultMessageBody   = aliyun.Schema("MessageBody")
	faultMessageTag    = aliyun.Schema("MessageTag")
	faultProperties    = aliyun.Schema("UserProperties")
	faultNotifications = aliyun.Schema("MessageAttributes")
	faultGroup         = aliyun.Schema("MessageGroupId")
	faultBodySize      = aliyun.Range("MessageBody", "1 and 65536 bytes")
	faultTagSize       = aliyun.Range("MessageTag", "1 and 255 bytes")
)

// faults maps every error of the engine.
var faults = ingress.ErrorTable[*fault]{
	{engine.ErrTopicNotFound, faultTopicNotExist},
	{engine.ErrTopicExists, faultTopicAlreadyExist},
	{engine.ErrSubscriptionNotFound, faultSubscriptionNotExist},
	{engine.ErrSubscriptionExists, faultSubscriptionExists},
	{engine.ErrTokenInvalid, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The token you provided is invalid."}},
	{engine.ErrTopicLimit, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The account has as many topics as it may have."}}, // no code is published
	{engine.ErrSubscriptionLimit, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The topic has as many subscriptions as it may have."}},
	{engine.ErrInvalid, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The value you provided is invalid."}},
	{engine.ErrHeldNotFound, &fault{Status: fasthttp.StatusBadRequest, Code: "ReceiptHandleError", Text: "The receipt handle you provide is not valid."}},
	{engine.ErrBusy, faultBusy},
	{engine.ErrUnavailable, faultInternal},
	{engine.ErrClosed, faultInternal},
}

// faultOf is what the client is told of an error of the engine.
func faultOf(err error) *fault {
	var field *engine.FieldError
	if errors.As(err, &field) {
		if field.Field == "endpoint" {
			return &fault{Status: faultEndpoint.Status, Code: faultEndpoint.Code, Text: faultEndpoint.Text + " It " + field.Reason + "."}
		}
		return &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The value of " + field.Field + " " + field.Reason + "."}
	}
	return faults.Find(err, faultInternal)
}

// faultOfXML is what the client is told of a document that could not be read; schema is for an element that
// must have text alone.
func faultOfXML(err error, schema *fault) *fault {
	if errors.Is(err, scan.ErrXMLElement) || errors.Is(err, aliyun.ErrRoot) || errors.Is(err, aliyun.ErrRepeated) {
		return schema
	}
	return faultMalformedXML
}
