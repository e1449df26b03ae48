package bench

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAmazonRequest(t *testing.T) {
	f := func(o PublishOptions, want string) {
		t.Helper()
		o.Target, o.Topic, o.SizeBytes = "http://127.0.0.1:8080/", "orders", 7
		o.setDefaults()
		tg, err := parseTarget(o.Target)
		if err != nil {
			t.Fatal(err)
		}
		got, success := request(&o, tg, Text(o.SizeBytes), time.Date(2024, 1, 2, 3, 4, 5, 0, time.UTC))
		head, body, _ := strings.Cut(string(got), "\r\n\r\n")
		if !strings.HasSuffix(head, fmt.Sprintf("Content-Length: %d", len(body))) || success != 200 {
			t.Errorf("status %d, %d bytes of body: %s", success, len(body), head)
		}
		_, target, _ := strings.Cut(head, "\r\nX-Amz-Target: ")
		target, _, _ = strings.Cut(target, "\r\n")
		if diff := cmp.Diff(want, strings.TrimSpace(target+" "+body)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", o, diff)
		}
	}
	const arn = "&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31"
	const entry = "PublishBatchRequestEntries.member."
	f(PublishOptions{Face: "sns", Batch: 2}, "Action=PublishBatch&"+entry+"1.Id=0&"+entry+"1.Message=fanfare&"+entry+"1.Subject=bench&"+
		entry+"2.Id=1&"+entry+"2.Message=fanfare&"+entry+"2.Subject=bench"+arn)
	f(PublishOptions{Face: "sns", Groups: 3}, "Action=Publish&Message=fanfare&MessageDeduplicationId=serial-0000000000000000000"+
		"&MessageGroupId=group-000000&Subject=bench"+arn)
	const url = `"QueueUrl":"http://127.0.0.1:8080/000000000000/orders"}`
	f(PublishOptions{Face: "sqs"}, `AmazonSQS.SendMessage {"MessageBody":"fanfare",`+url)
	f(PublishOptions{Face: "sqs", Batch: 2}, `AmazonSQS.SendMessageBatch {"Entries":[{"Id":"0","MessageBody":"fanfare"},{"Id":"1","MessageBody":"fanfare"}],`+url)
	f(PublishOptions{Face: "sqs", Groups: 3}, `AmazonSQS.SendMessage {"MessageBody":"fanfare","MessageDeduplicationId":"serial-0000000000000000000",`+
		`"MessageGroupId":"group-000000",`+url)
}

// The vector is one that the signer of the service's SDK for Go and an independent computation agree on.
func TestSign(t *testing.T) {
	o := PublishOptions{Face: "sns", AccessKey: "AKIDEXAMPLE", Secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	o.setDefaults()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := form{
		path: "/", headers: snsHeaders(&o, at),
		body: "Action=Publish&Message=hello+world&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31",
	}
	f.sign(&o, target{host: "127.0.0.1:4100"}, at)
	const want = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/sns/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-date, " +
		"Signature=0204c5d30b5655ac2d07a34fb006b4169e0255346085ce05456b9100e395e3b1"
	if f.headers[0] != "Authorization" || f.headers[1] != want {
		t.Errorf("%q\nwant %q", f.headers[1], want)
	}
}

func TestPublishOptionsOfAmazon(t *testing.T) {
	f := func(o PublishOptions, want string) {
		t.Helper()
		o.Target, o.Topic = "http://h", "t"
		got := "nil"
		if err := o.Validate(); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%+v: %s\nwant %s", o, got, want)
		}
	}
	f(PublishOptions{Face: "sns", Batch: 10, Groups: 1_000_000}, "nil")
	f(PublishOptions{Face: "sqs", Batch: 1, AccessKey: "a", Secret: "s", SizeBytes: 25}, "nil")
	f(PublishOptions{Face: "sqs", Batch: 11}, "batch: 11 is not between 1 and 10")
	f(PublishOptions{Face: "sqs", Batch: -1}, "batch: -1 is not between 1 and 10")
	f(PublishOptions{Face: "native", Batch: 2}, "batch: only sns and sqs have one")
	f(PublishOptions{Face: "sns", Groups: -1}, "groups: -1 is not between 0 and 1000000")
	f(PublishOptions{Groups: 1}, "groups: only sns and sqs have them")
	f(PublishOptions{AccessKey: "a", Secret: "s"}, "access key: only sns and sqs are signed with one")
	f(PublishOptions{Face: "sns", Secret: "s"}, "access key, secret: one is given without the other")
	f(PublishOptions{Face: "sns", AccessKey: "a", Secret: "s", Stamp: true}, "access key: signed requests are made before, so there are no topics, stamps and groups")
	f(PublishOptions{Face: "sns", AccessKey: "a", Secret: "s", SizeBytes: 24}, "size: 24 bytes are too few to tell signed requests apart, which takes 25")
}

// Every message of a FIFO load has a number of its own, over all connections, and the groups come in turn.
func TestTemplateNumbersMessages(t *testing.T) {
	now := time.Unix(1_700_000_000, 5)
	for _, face := range []string{"sns", "sqs"} {
		p := testTemplate(t, PublishOptions{Face: face, Topic: "t.fifo", SizeBytes: 30, Batch: 3, Groups: 4}, now)
		serials, groups := map[string]bool{}, map[string]int{}
		for c := range 2 {
			v := p.variant(c, 2)
			for range 8 {
				request := v.next(now)
				for _, at := range mentions(request, serialPrefix, len(serialPrefix)) {
					serials[string(request[at:at+serialDigits])] = true
				}
				for _, at := range mentions(request, groupPrefix, len(groupPrefix)) {
					groups[string(request[at:at+groupDigits])]++
				}
			}
		}
		if len(serials) != 48 || !serials["1700000000000000005"] || !serials["1700000000000000052"] {
			t.Errorf("%s: %d numbers: %v", face, len(serials), serials)
		}
		want := map[string]int{"000000": 12, "000001": 12, "000002": 12, "000003": 12}
		if diff := cmp.Diff(want, groups); diff != "" {
			t.Errorf("%s: %s", face, diff)
		}
	}
}

// Signed requests have bodies of their own, are used in turns, and are signed anew before they are too old.
func TestRing(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	v := testTemplate(t, PublishOptions{Face: "sns", Topic: "t", SizeBytes: 64, AccessKey: "a", Secret: "s"}, now).variant(0, 1)
	seen := map[string]bool{}
	for range 2 * ringRequests {
		seen[string(v.next(now.Add(ringAgeMax)))] = true
	}
	if len(seen) != ringRequests {
		t.Errorf("%d different requests, want %d", len(seen), ringRequests)
	}
	later := now.Add(ringAgeMax + time.Second)
	if got := v.next(later); seen[string(got)] || !bytes.Contains(got, []byte("X-Amz-Date: "+later.UTC().Format(amzDate))) {
		t.Errorf("after %v: %s", ringAgeMax, got)
	}
}
