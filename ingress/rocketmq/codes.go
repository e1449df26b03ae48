package rocketmq

import (
	"errors"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Source: "Error codes" and "Error codes for the HTTP client SDK" of the RocketMQ HTTP reference, read 2026-11, and
// replies seen in SDK issues. Clients compare the codes; the texts differ from page to page.

type fault = aliyun.Fault

var (
	faultInvalidURL    = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidRequestURL", Text: "Http request URL format invalid."}
	faultNotServed     = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidRequestURL", Text: "Http request URL format invalid. Only sending is served here, consuming is not."}
	faultInvalidTrans  = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidQueryString", Text: `Http request URL contains invalid querystring item "trans".`}
	faultInvalidNS     = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidQueryString", Text: `Http request URL contains invalid querystring item "ns".`}
	faultInvalidDigest = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidDigest", Text: "The Content-MD5 you specified is invalid."}
	faultMalformedXML  = &fault{Status: fasthttp.StatusBadRequest, Code: "MalformedXML", Text: "The XML you provided was not well-formed."}
	// A character that XML cannot say would make every batch unreadable that the message is in.
	faultContent        = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidContent", Text: "The content you send may contains illegal characters."}
	faultTimeout        = &fault{Status: fasthttp.StatusRequestTimeout, Code: "TimeExpired", Text: "The http request you sent is expired."}
	faultFraming        = &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The length of the request is ambiguous or wrong."}
	faultTopicNotExist  = &fault{Status: fasthttp.StatusNotFound, Code: "TopicNotExist", Text: "The topic name you provided is not exist."}
	faultMissingReceipt = &fault{Status: fasthttp.StatusBadRequest, Code: "MissingReceiptHandle", Text: "ReceiptHandle is required."}
	faultReceipt        = &fault{Status: fasthttp.StatusBadRequest, Code: "ReceiptHandleError", Text: "The receipt handle you provide is not valid."}

	// The reference documents 500 for the one; the status of the other is that of SMQ.
	faultBusy     = &fault{Status: fasthttp.StatusBadRequest, Code: "QpsLimitExceeded", Text: "The queue operation exceeds the QPS limit.", Again: true}
	faultInternal = &fault{Status: fasthttp.StatusInternalServerError, Code: "InternalError", Text: "Interal error."}

	faultNamespace      = aliyun.Schema("xmlns")
	faultMessage        = aliyun.Schema("Message")
	faultMessageBody    = aliyun.Schema("MessageBody")
	faultMessageTag     = aliyun.Schema("MessageTag")
	faultProperties     = aliyun.Schema("Properties")
	faultHandles        = aliyun.Schema("ReceiptHandles")
	faultBodySize       = aliyun.Range("MessageBody", "1 and 4194304 bytes")
	faultBodySizeSmall  = aliyun.Range("MessageBody", "1 and 65536 bytes")
	faultTagSize        = aliyun.Range("MessageTag", "1 and 255 bytes")
	faultPropertiesSize = aliyun.Range("Properties", "0 and 16384 bytes")
	faultStartTime      = aliyun.Range("__STARTDELIVERTIME", "now and 40 days from now")
	faultCheckTime      = aliyun.Range("__TransCheckT", "10 and 300 seconds")
	faultHandleCount    = aliyun.Range("ReceiptHandles", "1 and 16")
)

// faults maps every error of the engine.
var faults = ingress.ErrorTable[*fault]{
	{engine.ErrTopicNotFound, faultTopicNotExist},
	{engine.ErrTopicExists, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The topic exists already."}},
	{engine.ErrSubscriptionNotFound, &fault{Status: fasthttp.StatusNotFound, Code: "SubscriptionNotExist", Text: "The subscription you provided does not exist."}},
	{engine.ErrSubscriptionExists, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The subscription exists already."}},
	{engine.ErrTokenInvalid, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The token you provided is invalid."}},
	{engine.ErrTopicLimit, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The account has as many topics as it may have."}}, // no code is published
	{engine.ErrSubscriptionLimit, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The topic has as many subscriptions as it may have."}},
	{engine.ErrInvalid, &fault{Status: fasthttp.StatusBadRequest, Code: "InvalidArgument", Text: "The value you provided is invalid."}},
	{engine.ErrHeldNotFound, faultReceipt},
	{engine.ErrBusy, faultBusy},
	{engine.ErrUnavailable, faultInternal},
	{engine.ErrClosed, faultInternal},
}

// faultOf is what the client is told of an error of the engine.
func faultOf(err error) *fault {
	return faults.Find(err, faultInternal)
}

// faultOfXML is what the client is told of a document that could not be read; schema is for an element that
// must have text alone.
func faultOfXML(err error, schema *fault) *fault {
	switch {
	case errors.Is(err, scan.ErrXMLElement), errors.Is(err, aliyun.ErrRoot), errors.Is(err, aliyun.ErrRepeated):
		return schema
	case errors.Is(err, scan.ErrXMLCharacter):
		return faultContent
	default:
		return faultMalformedXML
	}
}
