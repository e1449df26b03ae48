package smq

import "unicode/utf8"

// appendXMLEscaped appends text so that it can stand between two tags and is read as it was: '&', '<', '>' and CR
// become references. What XML 1.0 cannot say, control characters and bytes that are no UTF-8, becomes U+FFFD:
// a message may have come through a face that allows them.
func appendXMLEscaped(dst, text []byte) []byte {
	run := 0 // start of what is copied as it is
	for i := 0; i < len(text); {
		c, size := text[i], 1
		with := ""
		switch {
		case c >= utf8.RuneSelf:
			var r rune
			r, size = utf8.DecodeRune(text[i:])
			if r == utf8.RuneError && size == 1 || r == 0xFFFE || r == 0xFFFF {
				with = "\ufffd"
			}
		case c == '&':
			with = "&amp;"
		case c == '<':
			with = "&lt;"
		case c == '>':
			with = "&gt;"
		case c == '\r':
			with = "&#13;"
		case c < ' ' && c != '\t' && c != '\n':
			with = "\ufffd"
		}
		if with != "" {
			dst = append(append(dst, text[run:i]...), with...)
			run = i + size
		}
		i += size
	}
	return append(dst, text[run:]...)
}
