// Package admin is the listener for operators.
//
// # What it is
//
// Health, readiness, metrics and profiles over HTTP.
//
// # Where it stands on the data path
//
// Beside it.
//
// # Ownership
//
// It owns its server, and nothing it reports about.
//
// # Concurrency
//
// As net/http.
//
// # Errors
//
// Readiness is the error it is given: 503 and its text.
package admin
