package scan

import (
	"bytes"
	"encoding/base64"
	"errors"
)

// ErrBase64 is text that is not base64 in the standard alphabet with its padding.
var ErrBase64 = errors.New("scan: malformed base64")

// AppendBase64 appends the bytes that base64 text stands for: RFC 4648 section 4, padded, without line breaks. On
// a fault what was appended is to be dropped. The two must not overlap.
func AppendBase64(dst, src []byte) ([]byte, error) {
	if bytes.IndexByte(src, '\n') >= 0 || bytes.IndexByte(src, '\r') >= 0 {
		return dst, ErrBase64 // the decoder would skip them
	}
	dst, err := base64.StdEncoding.AppendDecode(dst, src)
	if err != nil {
		return dst, ErrBase64
	}
	return dst, nil
}
