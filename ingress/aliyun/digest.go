package aliyun

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
)

// DigestMatches reports whether a Content-MD5 header is that of a body. Two encodings are in use: base64 of the
// 16 bytes, as RFC 1864 has it, and base64 of their hex digits. A body that is empty, or a request without the
// header, is not checked: SDKs send the header with requests that have no body.
func DigestMatches(header, body []byte) bool {
	if len(header) == 0 || len(body) == 0 {
		return true
	}
	var decoded [base64Bytes]byte
	if base64.StdEncoding.DecodedLen(len(header)) > len(decoded) {
		return false
	}
	n, err := base64.StdEncoding.Decode(decoded[:], header)
	if err != nil {
		return false
	}
	digest := decoded[:n]
	if n == hex.EncodedLen(md5.Size) {
		var raw [md5.Size]byte
		if _, err := hex.Decode(raw[:], digest); err != nil {
			return false
		}
		return raw == md5.Sum(body)
	}
	return n == md5.Size && [md5.Size]byte(digest) == md5.Sum(body)
}

// base64Bytes holds 44 digits of base64, padding counted as if it said something.
const base64Bytes = 33
