package rocketmq

import (
	"encoding/binary"
	"encoding/hex"

	"fanfare/engine"
	"fanfare/ingress/aliyun"
	"fanfare/ingress/scan"

	"github.com/valyala/fasthttp"
)

// Source: "Transactional messages" and "Acknowledge messages" of the RocketMQ HTTP reference, read 2026-11. The
// service ends the validity of a handle with the check time; here, where nothing asks back yet, it lasts as long as
// the half message does, a day, so that a late end of a transaction is still its end.

// handlesMax is how many handles one request may name.
const handlesMax = 16

// handlePrefix begins the handles of half messages.
const handlePrefix = "H-"

// appendHandle appends the receipt handle of a half message: the due time and the number of its entry in the
// timer, 16 bytes in hex.
func appendHandle(dst []byte, k engine.TimerKey) []byte {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(k.Due))
	binary.BigEndian.PutUint64(raw[8:], k.ID)
	return hex.AppendEncode(append(dst, handlePrefix...), raw[:])
}

// parseHandle reads what appendHandle wrote.
func parseHandle(s string) (k engine.TimerKey, ok bool) {
	if len(s) != len(handlePrefix)+32 || s[:len(handlePrefix)] != handlePrefix {
		return k, false
	}
	raw, err := hex.DecodeString(s[len(handlePrefix):])
	if err != nil {
		return k, false
	}
	return engine.TimerKey{Due: int64(binary.BigEndian.Uint64(raw)), ID: binary.BigEndian.Uint64(raw[8:])}, true
}

// settle commits or rolls back the half messages that the body names. Handles that fail are listed; the others
// have taken effect.
func (f *Face) settle(x *aliyun.Exchange, segment []byte, publish bool) *fault {
	handles, fault := f.parseHandles(x)
	if fault != nil {
		return fault
	}
	topic, fault := f.topic(segment)
	if fault != nil {
		return fault
	}
	var failed []failure
	for _, handle := range handles {
		k, ok := parseHandle(handle)
		if !ok {
			failed = append(failed, failure{handle, faultReceipt})
			continue
		}
		if err := f.engine.Settle(topic, k, publish); err != nil {
			failed = append(failed, failure{handle, faultOf(err)})
			continue
		}
		f.log.Debug().Str("topic", topic.Name()).Bool("commit", publish).Msg("transaction ended")
	}
	f.answerHandles(x, failed)
	return nil
}

// acknowledge answers an ack: nothing is consumed over this protocol, so no handle is one.
func (f *Face) acknowledge(x *aliyun.Exchange, segment []byte) *fault {
	handles, fault := f.parseHandles(x)
	if fault != nil {
		return fault
	}
	if _, fault := f.topic(segment); fault != nil {
		return fault
	}
	failed := make([]failure, len(handles))
	for i, handle := range handles {
		failed[i] = failure{handle, faultReceipt}
	}
	f.answerHandles(x, failed)
	return nil
}

// parseHandles reads a ReceiptHandles document.
func (f *Face) parseHandles(x *aliyun.Exchange) ([]string, *fault) {
	body := x.Body()
	if !aliyun.DigestMatches(x.Header(aliyun.HeaderContentMD5), body) {
		return nil, faultInvalidDigest
	}
	if len(body) == 0 {
		return nil, faultMissingReceipt
	}
	var d aliyun.Document
	space, err := d.Open(f.dialect, body, "ReceiptHandles")
	if err != nil {
		return nil, faultOfXML(err, faultHandles)
	}
	if fault := namespace(space); fault != nil {
		return nil, fault
	}
	var handles []string
	for {
		name, err := d.Next()
		if err != nil {
			return nil, faultOfXML(err, faultHandles)
		}
		if name == nil {
			break
		}
		if string(name) != "ReceiptHandle" {
			if err := d.Skip(); err != nil {
				return nil, faultOfXML(err, faultHandles)
			}
			continue
		}
		handle, err := d.AppendText(nil)
		if err != nil {
			return nil, faultOfXML(err, faultHandles)
		}
		if len(handle) == 0 {
			return nil, faultMissingReceipt
		}
		if handles = append(handles, string(handle)); len(handles) > handlesMax {
			return nil, faultHandleCount
		}
	}
	if err := d.Close(); err != nil {
		return nil, faultOfXML(err, faultHandles)
	}
	if len(handles) == 0 {
		return nil, faultMissingReceipt
	}
	return handles, nil
}

// failure is a handle that did not do what was asked.
type failure struct {
	handle string
	fault  *fault
}

// answerHandles answers 204, or 404 with what failed. The SDKs read nothing but the Errors document here.
func (f *Face) answerHandles(x *aliyun.Exchange, failed []failure) {
	if len(failed) == 0 {
		x.Done(fasthttp.StatusNoContent)
		return
	}
	b := []byte(aliyun.XMLHead + `<Errors xmlns="http://mq.aliyuncs.com/doc/v1">`)
	for _, e := range failed {
		b = append(b, "<Error><ErrorCode>"...)
		b = append(b, e.fault.Code...)
		b = append(b, "</ErrorCode><ErrorMessage>"...)
		b = scan.AppendXMLEscaped(b, []byte(e.fault.Text))
		b = append(b, "</ErrorMessage><ReceiptHandle>"...)
		b = scan.AppendXMLEscaped(b, []byte(e.handle))
		b = append(b, "</ReceiptHandle></Error>"...)
	}
	x.Reply(fasthttp.StatusNotFound, append(b, "</Errors>"...))
}
