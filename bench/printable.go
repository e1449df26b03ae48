package bench

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// appendPrintable appends text that came over the network so that it cannot steer a terminal: what does
// not print is escaped, line breaks too unless they are wanted.
func appendPrintable(dst, src []byte, lines bool) []byte {
	for len(src) > 0 {
		r, n := utf8.DecodeRune(src)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, `\x`...)
			dst = append(dst, "0123456789abcdef"[src[0]>>4], "0123456789abcdef"[src[0]&15])
		case lines && (r == '\n' || r == '\t'), unicode.IsPrint(r):
			dst = append(dst, src[:n]...)
		default:
			quoted := strconv.QuoteRune(r)
			dst = append(dst, quoted[1:len(quoted)-1]...)
		}
		src = src[n:]
	}
	return dst
}
