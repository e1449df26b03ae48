package native

import (
	"encoding/json"
	"errors"

	"fanfare/engine"
	"fanfare/ingress"

	"github.com/valyala/fasthttp"
)

const contentTypeJSON = "application/json"

// apiError is what the face answers when it refuses.
type apiError struct {
	status int
	code   string
	text   string
}

func (e *apiError) Error() string { return e.text }

// Faults the face finds itself.
var (
	errNoSuchPath      = &apiError{404, "not_found", "Nothing is here. Topics are at /v1/topics."}
	errMethod          = &apiError{405, "method_not_allowed", "The method is not allowed here; see the Allow header."}
	errPath            = &apiError{400, "invalid_path", "The path's percent-encoding is malformed."}
	errContentEncoding = &apiError{415, "unsupported_encoding", "A body with a Content-Encoding is not supported; send it as it is to be delivered."}
	errContentType     = &apiError{400, "invalid_header", "Content-Type must be at most 256 bytes of UTF-8 without control characters."}
	errSubject         = &apiError{400, "invalid_header", "X-Fanfare-Subject must be at most 1024 bytes of UTF-8 without control characters."}
	errTag             = &apiError{400, "invalid_header", "X-Fanfare-Tag must be at most 255 bytes of UTF-8 without control characters."}
	errDelay           = &apiError{400, "invalid_header", "X-Fanfare-Delay must be seconds or a duration such as 1m30s, up to 960h."}
	errDeadLetter      = &apiError{404, "dead_letter_not_found", "The subscription has no dead letter of this sequence."}
	errDamaged         = &apiError{500, "damaged", "The dead letter cannot be read; it stays where it is."}
	errPurgeAll        = &apiError{400, "invalid_query", "Say which dead letters are to be dropped, or all=true."}
	errTTL             = &apiError{400, "invalid_header", "X-Fanfare-TTL must be seconds or a duration such as 1m30s, from 1ms to 336h."}
)

// codes maps the engine's errors.
var codes = ingress.ErrorTable[*apiError]{
	{engine.ErrTopicNotFound, &apiError{404, "topic_not_found", "The topic does not exist."}},
	{engine.ErrTopicExists, &apiError{409, "topic_exists", "The topic exists with different attributes."}},
	{engine.ErrSubscriptionNotFound, &apiError{404, "subscription_not_found", "The subscription does not exist."}},
	{engine.ErrSubscriptionExists, &apiError{409, "subscription_exists", "The subscription exists with different attributes."}},
	{engine.ErrTokenInvalid, &apiError{400, "invalid_token", "The confirmation token is invalid."}},
	{engine.ErrTopicLimit, &apiError{403, "topic_limit", "There are as many topics as there may be."}},
	{engine.ErrSubscriptionLimit, &apiError{403, "subscription_limit", "There are as many subscriptions as there may be."}},
	{engine.ErrInvalid, &apiError{400, "invalid", "An argument is invalid."}},
	{engine.ErrHeldNotFound, &apiError{404, "held_not_found", "No held message has this handle."}},
	{engine.ErrBusy, &apiError{429, "busy", "Too many publishes are waiting; try again."}},
	{engine.ErrUnavailable, &apiError{503, "unavailable", "Messages are not accepted now."}},
	{engine.ErrClosed, &apiError{503, "unavailable", "The server is shutting down."}},
}

var errInternal = &apiError{500, "internal", "Something went wrong."}

// errorOf finds what to answer to an error.
func errorOf(err error) *apiError {
	var own *apiError
	if errors.As(err, &own) {
		return own
	}
	var field *engine.FieldError
	if errors.As(err, &field) {
		return &apiError{400, "invalid", field.Error() + "."}
	}
	return codes.Find(err, errInternal)
}

// refuse answers with an error.
func refuse(ctx *fasthttp.RequestCtx, err error) {
	e := errorOf(err)
	if e.status == fasthttp.StatusTooManyRequests || e.status == fasthttp.StatusServiceUnavailable {
		ctx.Response.Header.Set(fasthttp.HeaderRetryAfter, "1")
	}
	reply(ctx, e.status, struct {
		Error   string `json:"error"`
		Message string `json:"message"`
	}{e.code, e.text})
}

// reply answers with a value as JSON and a line end.
func reply(ctx *fasthttp.RequestCtx, status int, v any) {
	ctx.SetStatusCode(status)
	ctx.SetContentType(contentTypeJSON)
	encoder := json.NewEncoder(ctx.Response.BodyWriter())
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic("BUG: native: a reply does not encode: " + err.Error())
	}
}
