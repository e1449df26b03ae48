package auth

import (
	"bytes"

	"fanfare/ingress/aws"
)

// claim is what a signature says of itself. Views of the request, or of the scratch memory of its verification.
type claim struct {
	presigned bool
	scope     []byte // DAY/REGION/SERVICE/aws4_request
	accessKey []byte
	day       []byte
	region    []byte
	service   []byte
	signed    []byte // names of the signed header fields, between semicolons
	signature []byte
	date      []byte // yyyymmddThhmmssZ
	at        int64  // the same, in seconds since 1970
	lifetime  int64  // of a presigned request, in seconds
}

var scheme = []byte("AWS4-HMAC-SHA256")

// The parts of a signature, in the order in which they are missed.
var parts = [...]string{"Credential", "Signature", "SignedHeaders"}

// parseAuthorization reads
//
//	AWS4-HMAC-SHA256 Credential=KEY/SCOPE, SignedHeaders=a;b;c, Signature=HEX
//
// and the date that goes with it.
func (v *verification) parseAuthorization(text []byte) error {
	var found [len(parts)][]byte
	rest, ok := bytes.CutPrefix(text, scheme)
	if !ok || len(rest) > 0 && rest[0] != ' ' {
		rest = nil // a signature of another scheme has none of the parts
	}
	for len(rest) > 0 {
		var part []byte
		part, rest, _ = bytes.Cut(rest, comma)
		name, value, _ := bytes.Cut(bytes.Trim(part, " \t"), equals)
		i := partNumber(name)
		switch {
		case i < 0:
			return errUnknownPart
		case found[i] != nil:
			return errTwice
		}
		found[i] = value
	}
	date, err := v.findDate()
	if err != nil {
		return err
	}
	for i := range found {
		if len(found[i]) == 0 || len(date) == 0 {
			return missingParts(found, date)
		}
	}
	v.signature, v.signed, v.date = found[1], found[2], date
	return v.parseCredential(found[0])
}

var (
	comma  = []byte(",")
	equals = []byte("=")
)

func partNumber(name []byte) int {
	for i := range parts {
		if string(name) == parts[i] {
			return i
		}
	}
	return -1
}

// missingParts lists what is not there.
func missingParts(found [len(parts)][]byte, date []byte) error {
	var text []byte
	for i := range found {
		if len(found[i]) == 0 {
			text = append(text, "Authorization header requires '"+parts[i]+"' parameter. "...)
		}
	}
	if len(date) == 0 {
		text = append(text, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "...)
	}
	return &Fault{400, codeIncomplete, string(bytes.TrimSpace(text))}
}

// parseCredential takes KEY/DAY/REGION/SERVICE/aws4_request apart, from its end: a key may have slashes.
func (v *verification) parseCredential(text []byte) error {
	var ends [4]int
	end := len(text)
	for i := range ends {
		if ends[i] = bytes.LastIndexByte(text[:end], '/'); ends[i] < 1 {
			return errCredential
		}
		end = ends[i]
	}
	v.accessKey, v.scope = text[:end], text[end+1:]
	v.day, v.region, v.service = text[end+1:ends[2]], text[ends[2]+1:ends[1]], text[ends[1]+1:ends[0]]
	if string(text[ends[0]+1:]) != "aws4_request" {
		return errTerminator
	}
	return nil
}

// checkScope checks that the credential is meant for this service, here and today.
func (v *verification) checkScope(service string) error {
	switch {
	case !bytes.Equal(v.day, v.date[:dayBytes]):
		return &Fault{403, codeSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '" +
			shorten(v.day) + "' != '" + string(v.date[:dayBytes]) + "', from '" + string(v.date) + "'."}
	case !aws.IsRegion(v.region):
		return errRegion
	case string(v.service) != service:
		return &Fault{403, codeSignature, "Credential should be scoped to correct service: '" + service + "'."}
	}
	return nil
}
