package auth

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/aws"
	"fanfare/ingress/scan"
)

// Scope is what a request's signature says of itself, whether it is a good one or not.
type Scope struct {
	Signed bool   // there is a signature
	Region []byte // what it is for; nil unless it is well formed and meant for the service
}

// ReadScope looks for a signature in the header, or in the query of a presigned URL, and for the region of its scope
// KEY/yyyymmdd/REGION/SERVICE/aws4_request. The region is a view of the request.
func ReadScope(h *ingress.Head, service string) (s Scope) {
	if text := h.Header.PeekCanonical(headerAuthorization); len(text) > 0 {
		s.Signed = true
		if i := bytes.Index(text, credentialParameter); i >= 0 && bytes.HasPrefix(text, schemeSpace) {
			credential := text[i+len(credentialParameter):]
			if i := bytes.IndexAny(credential, ", "); i >= 0 {
				credential = credential[:i]
			}
			s.Region = scopeRegion(credential, service)
		}
		return s
	}
	for f := scan.NewFormScanner(h.Query); f.Next(); {
		switch string(f.Key) {
		case "X-Amz-Signature":
			s.Signed = true
		case "X-Amz-Credential":
			if credential, err := scan.AppendFormValue(nil, f.Value); err == nil {
				s.Region = scopeRegion(credential, service)
			}
		}
	}
	return s
}

var (
	headerAuthorization = []byte(fasthttp.HeaderAuthorization)
	credentialParameter = []byte("Credential=")
	schemeSpace         = []byte("AWS4-HMAC-SHA256 ")
	scopeEnd            = []byte("/aws4_request")
)

// scopeRegion takes the region out of a scope, nil unless it is well formed.
func scopeRegion(credential []byte, service string) []byte {
	rest, ok := bytes.CutSuffix(credential, scopeEnd)
	if !ok {
		return nil
	}
	var last [3][]byte // service, region, day
	for i := range last {
		at := bytes.LastIndexByte(rest, '/')
		if at < 1 {
			return nil
		}
		last[i], rest = rest[at+1:], rest[:at]
	}
	if string(last[0]) != service || !aws.IsRegion(last[1]) || len(last[2]) != dayBytes {
		return nil
	}
	for _, digit := range last[2] {
		if digit < '0' || digit > '9' {
			return nil
		}
	}
	return last[1]
}
