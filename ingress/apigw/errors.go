package apigw

import (
	"net/http"

	"fanfare/ingress"
)

// Error is one line of an error table.
type Error struct {
	Status int
	Code   string
	Text   string
}

func (e *Error) Error() string { return e.Code + ": " + e.Text }

// With returns the error with more text.
func (e *Error) With(detail string) *Error { return &Error{e.Status, e.Code, e.Text + " " + detail} }

// The gateway's errors. Being throttled is 503 instead of the documented 429: a client of the other cloud on
// this API sleeps for a minute on 429, and all of them try a 503 again or report it at once.
var (
	ErrNoRoute   = &Error{http.StatusNotFound, "APIGW.0101", "The API does not exist or has not been published in the environment"}
	ErrRequest   = &Error{http.StatusBadRequest, "APIGW.0201", "API request error."}
	ErrTooLarge  = &Error{http.StatusRequestEntityTooLarge, "APIGW.0201", "Request entity too large."}
	ErrTimeout   = &Error{http.StatusRequestTimeout, "APIGW.0201", "The request did not arrive in time."}
	ErrThrottled = &Error{http.StatusServiceUnavailable, "APIGW.0308", "The throttling threshold has been reached."}
)

// ErrRefused is the gateway's error for a request whose body could not be read.
func ErrRefused(why ingress.Refusal) *Error {
	switch why {
	case ingress.RefusedTooLarge:
		return ErrTooLarge
	case ingress.RefusedTimeout:
		return ErrTimeout
	default:
		return ErrRequest
	}
}
