package sqs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	arnPrefix = "arn:aws:sqs:us-east-1:000000000000:"
	urlPrefix = "http://sqs.test/000000000000/"
)

func TestCreateQueue(t *testing.T) {
	c := newClient(t, Options{})
	attributes := object{"VisibilityTimeout": "0", "DelaySeconds": "900", "MessageRetentionPeriod": "60", "ReceiveMessageWaitTimeSeconds": "20", "MaximumMessageSize": "1024"}
	for range 2 {
		if r := c.must("CreateQueue", "", object{"QueueName": "q", "Attributes": attributes, "tags": object{"a": "b"}}); r.QueueURL != urlPrefix+"q" {
			t.Errorf("the URL is %s", r.QueueURL)
		}
	}
	got := c.must("GetQueueAttributes", "q", object{"AttributeNames": []string{"All"}}).Attributes
	for name, value := range attributes {
		if got[name] != value {
			t.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
	if tags := c.must("ListQueueTags", "q", nil).Tags; tags["a"] != "b" {
		t.Errorf("the tags are %v", tags)
	}
	c.must("CreateQueue", "", object{"QueueName": "q"})
	c.refused("CreateQueue", "", object{"QueueName": "q", "Attributes": object{"DelaySeconds": "0"}}, "QueueAlreadyExists",
		"A queue already exists with the same name and a different value for attribute DelaySeconds")
	c.must("DeleteQueue", "q", nil)
	c.refused("GetQueueUrl", "", object{"QueueName": "q"}, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	c.refused("DeleteQueue", "q", nil, "AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
	c.must("CreateQueue", "", object{"QueueName": "q"})
	if got := c.must("GetQueueAttributes", "q", object{"AttributeNames": []string{"DelaySeconds"}}).Attributes; got["DelaySeconds"] != "0" {
		t.Errorf("a queue that was made anew has %v", got)
	}

	const badName = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
	const badFIFO = "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length."
	for _, name := range []string{"a.b", "a/b", strings.Repeat("a", 81), "a.fifo"} {
		c.refused("CreateQueue", "", object{"QueueName": name}, "InvalidParameterValue", badName)
	}
	c.refused("CreateQueue", "", object{"QueueName": "q2", "Attributes": object{"FifoQueue": "true"}}, "InvalidParameterValue", badFIFO)
	c.refused("CreateQueue", "", object{"QueueName": "q2", "Attributes": object{"FifoQueue": "false"}}, "InvalidAttributeName", "Unknown Attribute FifoQueue.")
	c.refused("CreateQueue", "", object{"QueueName": "q2", "Attributes": object{"ContentBasedDeduplication": "true"}}, "InvalidAttributeName", "Unknown Attribute ContentBasedDeduplication.")
	c.refused("CreateQueue", "", object{}, "MissingParameter", "The request must contain the parameter QueueName.")
}

func TestQueueAttributes(t *testing.T) {
	c := newClient(t, Options{})
	set := func(queue, name, value string) {
		t.Helper()
		c.must("SetQueueAttributes", queue, object{"Attributes": object{name: value}})
		if got := c.must("GetQueueAttributes", queue, object{"AttributeNames": []string{name}}).Attributes[name]; got != value {
			t.Errorf("%s is %q, want %q", name, got, value)
		}
	}
	bad := func(queue, name, value string) {
		t.Helper()
		c.refused("SetQueueAttributes", queue, object{"Attributes": object{name: value}}, "InvalidAttributeValue", "Invalid value for the parameter "+name+".")
	}
	for _, a := range []struct{ name, low, high, below, above string }{
		{"VisibilityTimeout", "0", "43200", "-1", "43201"},
		{"MaximumMessageSize", "1024", "1048576", "1023", "1048577"},
		{"MessageRetentionPeriod", "60", "1209600", "59", "1209601"},
		{"DelaySeconds", "0", "900", "-1", "901"},
		{"ReceiveMessageWaitTimeSeconds", "0", "20", "-1", "21"},
		{"KmsDataKeyReusePeriodSeconds", "60", "86400", "59", "86401"},
	} {
		set("plain", a.name, a.high)
		set("plain", a.name, a.low)
		for _, value := range []string{a.below, a.above, "", "x", "1.5"} {
			bad("plain", a.name, value)
		}
	}
	set("content.fifo", "ContentBasedDeduplication", "false")
	set("content.fifo", "FifoThroughputLimit", "perMessageGroupId")
	set("ordered.fifo", "DeduplicationScope", "messageGroup")
	set("ordered.fifo", "DeduplicationScope", "queue")
	set("ordered.fifo", "FifoQueue", "true")
	bad("ordered.fifo", "DeduplicationScope", "x")
	bad("ordered.fifo", "FifoThroughputLimit", "x")
	bad("ordered.fifo", "ContentBasedDeduplication", "yes")
	c.refused("SetQueueAttributes", "ordered.fifo", object{"Attributes": object{"FifoThroughputLimit": "perMessageGroupId"}}, "InvalidParameterValue",
		"Invalid value for the parameter FifoThroughputLimit. Reason: perMessageGroupId is allowed only when DeduplicationScope is messageGroup.")
	c.refused("SetQueueAttributes", "ordered.fifo", object{"Attributes": object{"FifoQueue": "false"}}, "InvalidAttributeValue",
		"Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	for _, name := range []string{"QueueArn", "CreatedTimestamp", "All", "Colour", "FifoQueue"} {
		c.refused("SetQueueAttributes", "plain", object{"Attributes": object{name: "true"}}, "InvalidAttributeName", "Unknown Attribute "+name+".")
	}

	set("plain", "Policy", `{"Statement":[]}`)
	set("plain", "Policy", "")
	for _, policy := range []string{"x", "{}", "[]", `{"Statement":1}`, `{"Statement":["x"]}`} {
		bad("plain", "Policy", policy)
	}
	set("plain", "KmsMasterKeyId", "key")
	if got := c.must("GetQueueAttributes", "plain", object{"AttributeNames": []string{"SqsManagedSseEnabled"}}).Attributes["SqsManagedSseEnabled"]; got != "false" {
		t.Errorf("with a key SqsManagedSseEnabled is %q", got)
	}
	set("plain", "SqsManagedSseEnabled", "true")
	if got := c.must("GetQueueAttributes", "plain", object{"AttributeNames": []string{"All"}}).Attributes; got["KmsMasterKeyId"] != "" {
		t.Errorf("with encryption of SQS the key is %q", got["KmsMasterKeyId"])
	}
	c.refused("SetQueueAttributes", "plain", object{"Attributes": object{"KmsMasterKeyId": "k", "SqsManagedSseEnabled": "true"}}, "InvalidAttributeName",
		"You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.")

	// A change that is refused changes nothing.
	c.ask("SetQueueAttributes", "plain", object{"Attributes": object{"DelaySeconds": "7", "VisibilityTimeout": "x"}})
	if got := c.must("GetQueueAttributes", "plain", object{"AttributeNames": []string{"DelaySeconds"}}).Attributes["DelaySeconds"]; got != "0" {
		t.Errorf("DelaySeconds is %q behind a change that was refused", got)
	}
}

func TestRedrivePolicies(t *testing.T) {
	c := newClient(t, Options{})
	policy := func(target, receives string) string {
		return `{"deadLetterTargetArn":"` + target + `","maxReceiveCount":` + receives + `}`
	}
	set := func(queue, value string) reply {
		return c.ask("SetQueueAttributes", queue, object{"Attributes": object{"RedrivePolicy": value}})
	}
	read := func(queue string) string {
		return c.must("GetQueueAttributes", queue, object{"AttributeNames": []string{"RedrivePolicy"}}).Attributes["RedrivePolicy"]
	}
	for _, value := range []string{policy(arnPrefix+"waiting", "5"), policy(arnPrefix+"waiting", `"5"`), " " + policy(arnPrefix+"waiting", "5")} {
		if r := set("plain", value); r.status != 200 || read("plain") != policy(arnPrefix+"waiting", "5") {
			t.Errorf("%s: %s, %s", value, r.text, read("plain"))
		}
	}
	if set("plain", ""); read("plain") != "" {
		t.Errorf("a policy that was taken away is %s", read("plain"))
	}
	refused := func(queue, value, reason string) {
		t.Helper()
		if r := set(queue, value); r.Message != "Value "+value+" for parameter RedrivePolicy is invalid. Reason: "+reason {
			t.Errorf("%s: %s", value, r.text)
		}
	}
	refused("plain", "x", "Redrive policy is not a valid JSON map.")
	refused("plain", `{"maxReceiveCount":1}`, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.")
	refused("plain", `{"deadLetterTargetArn":"a"}`, "Redrive policy does not contain mandatory attribute: maxReceiveCount.")
	refused("plain", policy("dummy", "42"), "Invalid value for deadLetterTargetArn.")
	for _, n := range []string{"0", "1001", "-1", `"x"`, "1.5", "true"} {
		refused("plain", policy(arnPrefix+"waiting", n), "Invalid value for maxReceiveCount: "+strings.Trim(n, `"`)+", valid values are from 1 to 1000 both inclusive.")
	}
	refused("plain", policy(arnPrefix+"nobody", "1"), "Dead letter target does not exist.")
	refused("plain", policy(arnPrefix+"ordered.fifo", "1"), "Dead-letter queue must be same type of queue as the source.")

	allow := func(value string) reply {
		return c.ask("SetQueueAttributes", "waiting", object{"Attributes": object{"RedriveAllowPolicy": value}})
	}
	for value, ok := range map[string]bool{
		`{"redrivePermission":"allowAll"}`: true, `{"redrivePermission":"byQueue","sourceQueueArns":["` + arnPrefix + `plain"]}`: true, "": true,
		`{"redrivePermission":"denyAll"}`: false, `{"redrivePermission":"byQueue","sourceQueueArns":["` + arnPrefix + `small"]}`: false,
	} {
		if r := allow(value); r.status != 200 {
			t.Errorf("%s: %s", value, r.text)
		}
		if r := set("plain", policy(arnPrefix+"waiting", "1")); (r.status == 200) != ok {
			t.Errorf("with %s: %s", value, r.text)
		}
	}
	for _, value := range []string{
		"x", "{}", `{"redrivePermission":"some"}`, `{"redrivePermission":"byQueue"}`, `{"redrivePermission":"byQueue","sourceQueueArns":["x"]}`,
		`{"redrivePermission":"allowAll","sourceQueueArns":["` + arnPrefix + `plain"]}`,
	} {
		if r := allow(value); r.queryError != "InvalidParameterValue;Sender" {
			t.Errorf("%s: %s", value, r.text)
		}
	}
}

func TestListQueues(t *testing.T) {
	c := newClient(t, Options{PublicURL: "https://queues.example/x/"})
	for i := range 5 {
		c.must("CreateQueue", "", object{"QueueName": fmt.Sprint("list", i), "Attributes": object{"RedrivePolicy": `{"deadLetterTargetArn":"` + arnPrefix + `waiting","maxReceiveCount":1}`}})
	}
	var got []string
	for token, pages := "", 0; ; pages++ {
		r := c.must("ListQueues", "", object{"QueueNamePrefix": "list", "MaxResults": 2, "NextToken": token})
		got = append(got, r.QueueURLs...)
		if token = r.NextToken; token == "" {
			if pages != 2 {
				t.Errorf("%d pages", pages+1)
			}
			break
		}
	}
	var want []string
	for i := range 5 {
		want = append(want, fmt.Sprint("https://queues.example/x/000000000000/list", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r := c.must("ListQueues", "", nil); len(r.QueueURLs) != 10 || r.NextToken != "" {
		t.Errorf("all: %s", r.text)
	}
	r := c.must("ListDeadLetterSourceQueues", "waiting", object{"MaxResults": 3})
	rest := c.must("ListDeadLetterSourceQueues", "waiting", object{"MaxResults": 3, "NextToken": r.NextToken})
	if diff := cmp.Diff(want, append(r.Sources, rest.Sources...)); diff != "" || rest.NextToken != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	for _, n := range []int{0, 1001} {
		c.refused("ListQueues", "", object{"MaxResults": n}, "InvalidParameterValue", "Value for parameter MaxResults is invalid. Reason: MaxResults must be an integer between 1 and 1000.")
	}
	c.refused("ListQueues", "", object{"NextToken": "!"}, "InvalidParameterValue", "Invalid or expired next token.")
}

func TestTags(t *testing.T) {
	c := newClient(t, Options{})
	c.must("TagQueue", "small", object{"Tags": object{"a": "1", "team": "blue"}})
	c.must("UntagQueue", "small", object{"TagKeys": []string{"a", "never"}})
	if diff := cmp.Diff(map[string]string{"team": "blue"}, c.must("ListQueueTags", "small", nil).Tags); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	many := object{}
	for i := range 50 {
		many[fmt.Sprint(i)] = ""
	}
	c.refused("TagQueue", "small", object{"Tags": many}, "InvalidParameterValue", "Too many tags added: a queue can have 50.")
	if got := c.must("ListQueueTags", "small", nil).Tags; len(got) != 1 {
		t.Errorf("%d tags behind a change that was refused", len(got))
	}
	c.must("TagQueue", "plain", object{"Tags": many})
	c.refused("TagQueue", "plain", object{}, "MissingParameter", "The request must contain the parameter Tags.")
	c.refused("TagQueue", "plain", object{"Tags": object{"": ""}}, "InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
	c.refused("TagQueue", "plain", object{"Tags": object{"a": strings.Repeat("é", 257)}}, "InvalidParameterValue", "Tag values must be between 0 and 256 characters in length.")
}

func TestPermissions(t *testing.T) {
	c := newClient(t, Options{})
	add := func(label string, accounts, actions []string) reply {
		return c.ask("AddPermission", "plain", object{"Label": label, "AWSAccountIds": accounts, "Actions": actions})
	}
	policy := func() string {
		return c.must("GetQueueAttributes", "plain", object{"AttributeNames": []string{"Policy"}}).Attributes["Policy"]
	}
	one, send := []string{"111122223333"}, []string{"SendMessage"}
	add("a", one, send)
	add("b", append(one, "444455556666"), append(send, "*"))
	const statement = `{"Sid":"a","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:SendMessage","Resource":"` + arnPrefix + `plain"}`
	const other = `{"Sid":"b","Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:root","arn:aws:iam::444455556666:root"]},"Action":["SQS:SendMessage","SQS:*"],"Resource":"` + arnPrefix + `plain"}`
	const head = `{"Version":"2008-10-17","Id":"` + arnPrefix + `plain/SQSDefaultPolicy","Statement":[`
	if diff := cmp.Diff(head+statement+","+other+"]}", policy()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.must("RemovePermission", "plain", object{"Label": "a"})
	if diff := cmp.Diff(head+other+"]}", policy()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	refused := func(r reply, code, text string) {
		t.Helper()
		if r.queryError != code+";Sender" || r.Message != text {
			t.Errorf("got %s, want %s: %s", r.text, code, text)
		}
	}
	refused(add("b", one, send), "InvalidParameterValue", "Value b for parameter Label is invalid. Reason: Already exists.")
	refused(add("c", []string{"1"}, send), "InvalidParameterValue", "Value 1 for parameter PrincipalId is invalid. Reason: Unable to verify.")
	refused(add("c", one, []string{"X"}), "InvalidParameterValue", "Value SQS:X for parameter ActionName is invalid. Reason: Please refer to the appropriate WSDL for a list of valid actions. ")
	refused(add("", one, send), "MissingParameter", "The request must contain the parameter Label.")
	refused(add("c", nil, send), "MissingParameter", "The request must contain the parameter AWSAccountIds.")
	refused(add("c", one, nil), "MissingParameter", "The request must contain the parameter Actions.")
	refused(c.ask("RemovePermission", "plain", object{"Label": "a"}), "InvalidParameterValue", "Value a for parameter Label is invalid. Reason: can't find label.")
	c.must("RemovePermission", "plain", object{"Label": "b"})
	if policy() != "" {
		t.Errorf("without statements the policy is %s", policy())
	}
}
