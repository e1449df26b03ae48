package smq

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"fanfare/engine"
)

// base is what the three encoders have in common.
type base struct {
	contentType string
	fixed       []byte // header lines that are the same in every push
}

func newBase(account, topic, subscription string) base {
	return base{fixed: []byte("User-Agent: Aliyun Notification Service Agent\r\n" +
		"x-mns-version: 2015-06-06\r\n" +
		"x-mns-topic-owner: " + account + "\r\n" +
		"x-mns-topic-name: " + topic + "\r\n" +
		"x-mns-subscriber: " + account + "\r\n" +
		"x-mns-subscription-name: " + subscription + "\r\n")}
}

// AppendHeader appends the header lines of a push.
//
// A signature would be two lines more: x-mns-signing-cert-url, which is under it, and Authorization, which is
// made of Content-md5, Content-Type, Date, all x-mns lines sorted, and the target of the subscription's endpoint.
func (b *base) AppendHeader(dst []byte, m *engine.Message, body []byte, _ int) []byte {
	dst = append(dst, "Content-Type: "...)
	dst = append(dst, b.contentType...)
	dst = append(dst, "\r\nContent-md5: "...)
	dst = appendContentMD5(dst, body)
	dst = append(dst, "\r\nDate: "...)
	dst = time.Now().UTC().AppendFormat(dst, http.TimeFormat)
	dst = append(dst, "\r\n"...)
	dst = append(dst, b.fixed...)
	dst = append(dst, "x-mns-request-id: "...)
	dst = appendRequestID(dst)
	dst = append(dst, "\r\nx-mns-message-id: "...)
	dst = m.ID().AppendHexUpper(dst)
	dst = append(dst, "\r\nx-mns-publish-time: "...)
	dst = strconv.AppendInt(dst, m.PublishedAt(), 10)
	dst = append(dst, "\r\n"...)
	if tag := m.Tag(); len(tag) > 0 && headerSafe(tag) {
		dst = append(dst, "x-mns-message-tag: "...)
		dst = append(dst, tag...)
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendContentMD5 appends base64 of the lower-case hex digits of the body's MD5, which is how the service
// writes it on pushes.
func appendContentMD5(dst, body []byte) []byte {
	sum := md5.Sum(body)
	var digits [2 * md5.Size]byte
	hex.Encode(digits[:], sum[:])
	return base64.StdEncoding.AppendEncode(dst, digits[:])
}

// appendRequestID appends 24 upper-case hex digits, new for each attempt.
func appendRequestID(dst []byte) []byte {
	var id [12]byte
	binary.LittleEndian.PutUint64(id[:], rand.Uint64())
	binary.LittleEndian.PutUint32(id[8:], rand.Uint32())
	return engine.AppendHexUpper(dst, id[:])
}

// headerSafe reports whether a value can stand in a header line. A tag may have come through a face that allows
// line breaks in it; such a one is in the body alone.
func headerSafe(value []byte) bool {
	for _, c := range value {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}
