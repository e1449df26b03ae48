package smq

import (
	"encoding/base64"
	"strconv"
	"strings"

	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"
)

// listMax is the longest page of a list, and the default.
const listMax = 1000

// page is what the headers of a list operation ask for.
type page struct {
	prefix   string
	after    string // the last name of the page before
	limit    int
	withMeta bool
}

func parsePage(x *aliyun.Exchange) (page, *fault) {
	p := page{prefix: string(x.Head.Header.Peek("x-mns-prefix")), limit: listMax}
	if number := x.Head.Header.Peek("x-mns-ret-number"); len(number) > 0 {
		n, err := strconv.Atoi(string(number))
		if err != nil || n < 1 || n > listMax {
			return p, aliyun.Range("x-mns-ret-number", "1 and 1000")
		}
		p.limit = n
	}
	marker, err := base64.RawURLEncoding.DecodeString(string(x.Head.Header.Peek("x-mns-marker")))
	if err != nil {
		return p, &fault{Status: faultInvalidURL.Status, Code: "InvalidArgument", Text: "The value of x-mns-marker is invalid."}
	}
	p.after = string(marker)
	p.withMeta = strings.EqualFold(string(x.Head.Header.Peek("x-mns-with-meta")), "true")
	return p, nil
}

// appendMarker appends the marker of the next page. The last page has none: SDKs take an empty one for a fault.
func appendMarker(dst []byte, last string) []byte {
	return appendElement(dst, "NextMarker", base64.RawURLEncoding.EncodeToString([]byte(last)))
}

func appendElement(dst []byte, name, text string) []byte {
	dst = append(append(append(dst, '<'), name...), '>')
	dst = scan.AppendXMLEscaped(dst, []byte(text))
	return append(append(append(dst, "</"...), name...), '>')
}

func appendNumber(dst []byte, name string, n int64) []byte {
	return appendElement(dst, name, strconv.FormatInt(n, 10))
}
