package auth

import "fmt"

// Fault is a refusal in the words of AWS.
type Fault struct {
	Status int
	Code   string
	Text   string
}

func (f *Fault) Error() string { return f.Code + ": " + f.Text }

// The refusals without parts that vary.
var (
	ErrMissing    = &Fault{403, "MissingAuthenticationToken", "Request is missing Authentication Token"}
	ErrUnknownKey = &Fault{403, "InvalidClientTokenId", "The security token included in the request is invalid."}
	ErrSignature  = &Fault{403, codeSignature, "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."}
	ErrExpired = &Fault{400, "RequestExpired", "Request has expired."}

	errTwoForms    = &Fault{400, codeIncomplete, "Only one of the Authorization header and the X-Amz-Signature query parameter is allowed."}
	errTwice       = &Fault{400, codeIncomplete, "A part of the signature is given more than once."}
	errUnknownPart = &Fault{400, codeIncomplete, "Authorization header has a part that is none of 'Credential', 'SignedHeaders' and 'Signature'."}
	errCredential  = &Fault{400, codeIncomplete, "Credential must have exactly 5 slash-delimited elements: KEY/yyyymmdd/REGION/SERVICE/aws4_request."}
	errLifetime    = &Fault{400, codeIncomplete, "X-Amz-Expires must be a number of seconds from 1 to 604800."}
	errManyFields  = &Fault{400, codeIncomplete, fmt.Sprintf("The request has more than %d header fields, or signs more than %d.", fieldsMax, signedMax)}
	errManyPairs   = &Fault{400, codeIncomplete, fmt.Sprintf("The query has more than %d parameters.", pairsMax)}
	errQuery       = &Fault{400, "MalformedQueryString", "The query string contains a syntax error."}

	errHostUnsigned = &Fault{403, codeSignature, "'Host' must be a 'SignedHeader' in the AWS Authorization."}
	errRegion       = &Fault{403, codeSignature, "Credential should be scoped to a valid region."}
	errTerminator   = &Fault{403, codeSignature, "Credential should be scoped with a valid terminator: 'aws4_request'."}
)

const (
	codeIncomplete = "IncompleteSignature"
	codeSignature  = "SignatureDoesNotMatch"
)

// shorten bounds what a refusal repeats of the request.
func shorten(text []byte) string {
	const limit = 64
	if len(text) > limit {
		return string(text[:limit]) + "..."
	}
	return string(text)
}
