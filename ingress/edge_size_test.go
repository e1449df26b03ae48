package ingress_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/ingress"
	"fanfare/ingress/facetest"
)

// Replies of the clouds to what is too large, from the tables of their API references; the ids are masked.
const (
	tooLongSNS      = `400 <ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>InvalidParameter</Code><Message>Invalid parameter: Message too long</Message></Error><RequestId>ID</RequestId></ErrorResponse>`
	tooLongBatch    = `400 <ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>BatchRequestTooLong</Code><Message>The length of all the messages put together is more than the limit.</Message></Error><RequestId>ID</RequestId></ErrorResponse>`
	tooLongSMQ      = `400 <Code>InvalidArgument</Code><Message>The value of MessageBody should between 1 and 65536 bytes.</Message>`
	tooLongRocketMQ = `400 <Code>InvalidArgument</Code><Message>The value of MessageBody should between 1 and 4194304 bytes.</Message>`
	tooLongTimed    = `400 <Code>InvalidArgument</Code><Message>The value of MessageBody should between 1 and 65536 bytes.</Message>`
	tooLongSMN      = `403 {"request_id":"ID","code":"SMN.0009","message":"Parameter: Message is invalid.","error_code":"SMN.0009","error_msg":"Parameter: Message is invalid."}`
	tooLongDMS      = `400 {"error_code":"DMS.10540011","error_msg":"The message body is larger than 4194304 bytes.","request_id":"ID"}`
	tooLongNative   = `413 {"error":"too_large","message":"The body is too large."}`

	unreadable = "400 The request could not be read."
)

// sizedAPI is an operation that publishes.
type sizedAPI struct {
	name, head    string
	before, after string // around the message
	messageMax    int    // bytes, by the cloud's documentation
	bodyMax       int    // bytes of a request that the face wants to see
	accepted      int    // status
	tooLong       string // the reply to a message beyond the limit
	refused       string // the reply to a body beyond all limits
}

var sizedAPIs = []sizedAPI{
	{"sns publish", headSNS, "Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Message=", "", 262_144, 4 << 20, 200, tooLongSNS, tooLongSNS},
	{
		"sns batch", headSNS, "Action=PublishBatch&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&PublishBatchRequestEntries.member.1.Id=a&PublishBatchRequestEntries.member.1.Message=",
		"&PublishBatchRequestEntries.member.2.Id=b&PublishBatchRequestEntries.member.2.Message=xxxx", 262_140, 4 << 20, 200, tooLongBatch, tooLongSNS,
	},
	{"smq", headSMQ, `<Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>`, "</MessageBody></Message>", 65_536, 1 << 20, 201, tooLongSMQ, tooLongSMQ},
	{"rocketmq", headRocketMQ, "<Message><MessageBody>", "</MessageBody></Message>", 4_194_304, 8 << 20, 201, tooLongRocketMQ, tooLongRocketMQ},
	{"rocketmq timed", headRocketMQ, "<Message><MessageBody>", "</MessageBody><Properties>__STARTDELIVERTIME:1|</Properties></Message>", 65_536, 8 << 20, 201, tooLongTimed, tooLongRocketMQ},
	{"smn", headSMN, `{"message":"`, `"}`, 262_144, 2 << 20, 200, tooLongSMN, tooLongSMN},
	{"smn structure", headSMN, `{"message_structure":"{\"default\":\"`, `\"}"}`, 262_144 - len(`{"default":""}`), 2 << 20, 200, `400 {"request_id":"ID","code":"SMN.0021","message":"MessageStructure is invalid.","error_code":"SMN.0021","error_msg":"MessageStructure is invalid."}`, tooLongSMN},
	{"dms", headDMS, `{"topic":"orders","body":"`, `"}`, 4_194_304, 8<<20 + 64<<10, 200, tooLongDMS, tooLongDMS},
	{"native", headNative, "", "", 4 << 20, 4 << 20, 201, tooLongNative, tooLongNative},
}

// request is a publish of a message of n bytes.
func (a *sizedAPI) request(n int) string {
	return withLength(a.head, a.before+strings.Repeat("x", n)+a.after)
}

// matches reports whether a reply is the one wanted. Of the XML of two of the clouds the tables have only what matters.
func matches(got, want string) bool {
	status, part, _ := strings.Cut(want, " ")
	return got == want || strings.HasPrefix(part, "<Code>") && strings.HasPrefix(got, status+" ") && strings.Contains(got, part)
}

// edgeServer serves all faces and returns the address.
func edgeServer(t *testing.T) string {
	t.Helper()
	return serve(t, ingress.Options{}, edgeFaces(t, facetest.Quiet())...)
}

// sendAll writes a request, for which it may have all the time it takes, and returns the first reply and whether the
// connection was closed behind it.
func sendAll(address string, write func(io.Writer) error) (reply string, closed bool, err error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return "", false, err
	}
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return "", false, errors.Join(err, c.Close())
	}
	var writer sync.WaitGroup
	writer.Go(func() { _ = write(c) }) // the server may stop reading
	reply, closed, err = readReply(bufio.NewReader(c))
	err = errors.Join(err, c.Close())
	writer.Wait()
	return reply, closed, err
}

func sendText(t *testing.T, address, text string) (reply string, closed bool) {
	t.Helper()
	reply, closed, err := sendAll(address, func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
	if err != nil {
		t.Fatal(err)
	}
	return reply, closed
}

// TestSizes publishes messages around the limit of each API.
func TestSizes(t *testing.T) {
	address := edgeServer(t)
	for _, a := range sizedAPIs {
		within, beyond := []int{1, a.messageMax - 1, a.messageMax}, []int{a.messageMax + 1, a.messageMax * 10}
		if testing.Short() { // the race detector takes its time over each byte
			within, beyond = within[2:], beyond[:1]
		}
		for _, n := range within {
			if reply, _ := sendText(t, address, a.request(n)); !strings.HasPrefix(reply, fmt.Sprint(a.accepted)) {
				t.Errorf("%s: %d bytes: %.300s", a.name, n, reply)
			}
		}
		for _, n := range beyond {
			reply, closed := sendText(t, address, a.request(n))
			want := a.tooLong
			if n > a.bodyMax {
				want = a.refused
			}
			if !matches(reply, want) || closed != (n > a.bodyMax-len(a.before)) {
				t.Errorf("%s: %d bytes: closed %v, %.400s\nwant %s", a.name, n, closed, reply, want)
			}
		}
	}
}

// TestSizesOfBodies announces bodies around the limit of each face, and far beyond every limit.
func TestSizesOfBodies(t *testing.T) {
	address := edgeServer(t)
	chunkSizes := []int{1, 4000, 64 << 10}
	if testing.Short() {
		chunkSizes = chunkSizes[1:]
	}
	for _, a := range sizedAPIs {
		// A body of exactly the limit is looked at, one byte more is not.
		body := a.before + strings.Repeat("x", a.bodyMax-len(a.before)-len(a.after)) + a.after
		if reply, closed := sendText(t, address, withLength(a.head, body)); closed || a.name != "native" && !matches(reply, a.tooLong) && !matches(reply, a.refused) {
			t.Errorf("%s: a body of the limit: closed %v, %.300s", a.name, closed, reply)
		}
		if reply, closed := sendText(t, address, withLength(a.head, body+"x")); !closed || !matches(reply, a.refused) {
			t.Errorf("%s: a body over the limit: closed %v, %.300s", a.name, closed, reply)
		}
		for length, want := range map[string]string{
			"9223372036854775807": a.refused, "9223372036854775806": a.refused, "4294967296": a.refused, "2147483648": a.refused,
			"9223372036854775808": unreadable, "18446744073709551615": unreadable, "18446744073709551616": unreadable, "-1": unreadable, "-9223372036854775808": unreadable,
			"99999999999999999999999999999999": unreadable,
		} {
			if reply, closed := sendText(t, address, a.head+"Content-Length: "+length+"\r\n\r\nabc"); !closed || !matches(reply, want) {
				t.Errorf("%s: length %s: closed %v, %.300s\nwant %s", a.name, length, closed, reply, want)
			}
		}
		for _, size := range []string{"fffffffffffffff", "7fffffff", "80000000"} {
			if reply, closed := sendText(t, address, a.head+"Transfer-Encoding: chunked\r\n\r\n"+size+"\r\nabc"); !closed || !matches(reply, a.refused) {
				t.Errorf("%s: a chunk of %s: closed %v, %.300s", a.name, size, closed, reply)
			}
		}
		for _, size := range chunkSizes {
			if reply, closed, err := sendAll(address, a.endless(size)); err != nil || !closed || !matches(reply, a.refused) {
				t.Errorf("%s: endless chunks of %d: closed %v, %.300s", a.name, size, closed, reply)
			}
		}
	}
}

// endless writes a request whose chunks do not end before the server stops listening.
func (a *sizedAPI) endless(size int) func(io.Writer) error {
	return func(w io.Writer) error {
		if _, err := io.WriteString(w, a.head+"Transfer-Encoding: chunked\r\n\r\n"); err != nil {
			return err
		}
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat("x", size))
		chunks := []byte(strings.Repeat(chunk, 64<<10/len(chunk)+1))
		for {
			if _, err := w.Write(chunks); err != nil {
				return err
			}
		}
	}
}
