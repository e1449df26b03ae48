package sqs

import (
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

// parsed returns a call that has taken a request apart, or why it could not. The call is released at the end of the test.
func parsed(t testing.TB, json bool, target, body string) (*call, error) {
	t.Helper()
	ctx := &fasthttp.RequestCtx{}
	ctx.Init(&fasthttp.Request{}, nil, nil)
	h := &ctx.Request.Header
	h.SetMethod("POST")
	h.SetRequestURI(target)
	if json {
		h.Set("X-Amz-Target", "AmazonSQS.SendMessage")
	}
	ctx.Request.SetBodyString(body)
	head := ingress.ParseHead(h)
	c := newCall(New(nil, Options{}), ctx, &head)
	t.Cleanup(c.release)
	if json {
		return c, c.scanJSON()
	}
	return c, c.scanQuery()
}

// describe renders what was understood, one value a line.
func (c *call) describe() string {
	var b strings.Builder
	line := func(name string, raw []byte) {
		if raw == nil {
			return
		}
		text, err := c.text(raw)
		if err != nil {
			b.WriteString(name + ": " + err.Error() + "\n")
			return
		}
		b.WriteString(name + ": " + strconv.Quote(string(text)) + "\n")
	}
	attributes := func(at string, l *attributeList) {
		for _, a := range l.members {
			name, _ := c.text(a.name)
			full := at + string(name)
			line(full+" type", a.dataType)
			line(full+" text", a.text)
			line(full+" binary", a.binary)
			if a.textList || a.binaryList {
				b.WriteString(full + " list\n")
			}
		}
	}
	entryOf := func(at string, e *entry) {
		for p := range entryParams {
			line(at+"entry "+strconv.Itoa(int(p)), e.values[p])
		}
		attributes(at+"attribute ", &e.attributes)
		attributes(at+"system ", &e.system)
	}
	for p := entryParams; p < params; p++ {
		line("param "+strconv.Itoa(int(p)), c.form.value(p))
	}
	entryOf("", &c.form.top)
	for i := range c.form.entries[:c.form.count] {
		entryOf(strconv.Itoa(i)+" ", &c.form.entries[i])
	}
	for l := range lists {
		for _, raw := range c.form.lists[l] {
			line("list "+strconv.Itoa(int(l)), raw)
		}
	}
	pairs := func(at string, pairs []pair) {
		for _, p := range pairs {
			key, _ := c.text(p.key)
			line(at+string(key), p.value)
		}
	}
	pairs("pair ", c.form.attributes)
	pairs("tag ", c.form.tags)
	return b.String()
}

// Both protocols say the same, and are understood as the same.
func TestProtocolsAgree(t *testing.T) {
	f := func(json, query string) {
		t.Helper()
		j, err := parsed(t, true, "/", json)
		if err != nil {
			t.Fatalf("%s: %v", json, err)
		}
		q, err := parsed(t, false, "/", query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		a, b := j.describe(), q.describe()
		if diff := cmp.Diff(a, b); diff != "" || a == "" {
			t.Errorf("%s and\n%s differ (-json +query):\n%s", json, query, diff)
		}
	}
	f(`{"QueueUrl":"http://h/1/q","MessageBody":"a\n\u00e9 \"b\"","DelaySeconds":5}`, "QueueUrl=http%3A%2F%2Fh%2F1%2Fq&MessageBody=a%0A%C3%A9+%22b%22&DelaySeconds=5")
	f(`{"MessageAttributes":{"k":{"DataType":"String","StringValue":"v"},"b":{"DataType":"Binary.x","BinaryValue":"AgME"}},"MessageBody":""}`,
		"MessageAttribute.1.Name=k&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=v&MessageBody=&"+
			"MessageAttribute.2.Name=b&MessageAttribute.2.Value.DataType=Binary.x&MessageAttribute.2.Value.BinaryValue=AgME")
	f(`{"Entries":[{"Id":"a","MessageBody":"1"},{"Id":"b","MessageGroupId":"g","MessageDeduplicationId":"d","MessageSystemAttributes":{"AWSTraceHeader":{"DataType":"String","StringValue":"Root=1"}}}]}`,
		"SendMessageBatchRequestEntry.7.Id=b&SendMessageBatchRequestEntry.7.MessageGroupId=g&SendMessageBatchRequestEntry.7.MessageDeduplicationId=d&"+
			"SendMessageBatchRequestEntry.7.MessageSystemAttribute.1.Name=AWSTraceHeader&SendMessageBatchRequestEntry.7.MessageSystemAttribute.1.Value.DataType=String&"+
			"SendMessageBatchRequestEntry.7.MessageSystemAttribute.1.Value.StringValue=Root%3D1&SendMessageBatchRequestEntry.1.Id=a&SendMessageBatchRequestEntry.1.MessageBody=1")
	f(`{"Entries":[{"Id":"a","ReceiptHandle":"h"}]}`, "DeleteMessageBatchRequestEntry.1.Id=a&DeleteMessageBatchRequestEntry.1.ReceiptHandle=h")
	f(`{"Entries":[{"Id":"a","ReceiptHandle":"h","VisibilityTimeout":0}]}`,
		"ChangeMessageVisibilityBatchRequestEntry.1.Id=a&ChangeMessageVisibilityBatchRequestEntry.1.ReceiptHandle=h&ChangeMessageVisibilityBatchRequestEntry.1.VisibilityTimeout=0")
	f(`{"AttributeNames":["All"],"MessageAttributeNames":["a.*","b"],"MessageSystemAttributeNames":["SenderId"],"MaxNumberOfMessages":10,"WaitTimeSeconds":20}`,
		"AttributeName.1=All&MessageAttributeName.1=a.*&MessageAttributeName.2=b&MessageSystemAttributeName.1=SenderId&MaxNumberOfMessages=10&WaitTimeSeconds=20")
	f(`{"QueueName":"q","Attributes":{"DelaySeconds":"5"},"tags":{"a b":"c"}}`, "QueueName=q&Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Tag.1.Key=a%20b&Tag.1.Value=c")
	f(`{"TagKeys":["a","b"]}`, "TagKey.1=a&TagKey.2=b")
	f(`{"AWSAccountIds":["1"],"Actions":["*"],"Label":"l"}`, "AWSAccountId.1=1&ActionName.1=*&Label=l")
	f(`{"AttributeNames":["All"]}`, "AttributeName=All")
}

// What is there twice, null, too much or of another type.
func TestJSONRules(t *testing.T) {
	f := func(body, want string) {
		t.Helper()
		c, err := parsed(t, true, "/", body)
		got := ""
		if err != nil {
			got = err.Error()
		} else {
			got = c.describe()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", body, diff)
		}
	}
	const bad = "MalformedInput: "
	f(`{"MessageBody":"a","MessageBody":"b"}`, "entry 1: \"b\"\n")
	f(`{"MessageBody":"a","MessageBody":null}`, "")
	f(`{"Message\u0042ody":"a"}`, "entry 1: \"a\"\n")
	f(`{"Entries":[{"Id":"a"}],"Entries":[{"Id":"b"}]}`, "0 entry 0: \"b\"\n")
	f(`{"Attributes":{"a":"1","a":"2"},"Unknown":{"x":[1,{}]}}`, "pair a: \"2\"\n")
	f(`{"MessageAttributes":{"a":{"DataType":"String"},"a":{"StringValue":"v"}}}`, "attribute a text: \"v\"\n")
	f(`{"MessageAttributes":{"a":{"StringListValues":["x"],"BinaryListValues":[],"Other":1}}}`, "attribute a list\n")
	f(`{"MessageAttributes":null,"Entries":null,"AttributeNames":null,"tags":null}`, "")
	f(``, "")
	f(`[]`, bad+"The body of the request is not a JSON object.")
	f(`{}x`, bad+"The body of the request is not a JSON object.")
	f(`{"MessageBody":1}`, bad+"NUMBER_VALUE can not be converted to a String")
	f(`{"DelaySeconds":"1"}`, bad+"STRING_VALUE can not be converted to an Integer")
	f(`{"DelaySeconds":true}`, bad+"TRUE_VALUE can not be converted to an Integer")
	f(`{"MessageBody":{}}`, bad+"START_OF_STRUCTURE can not be converted to a String")
	f(`{"Entries":{}}`, bad+"A member of the request has another type than the service wants.")
	f(`{"Entries":["a"]}`, bad+"A member of the request has another type than the service wants.")
	f(`{"AttributeNames":["`+strings.Repeat(`a","`, listMax)+`a"]}`, errListTooLong.Error())
	f(`{"MessageBody":"a`, bad+"The body of the request is not a JSON object.")
}

// Entries and attributes that are too many are counted, each once.
func TestTooMany(t *testing.T) {
	var json, query []string
	for i := range 13 {
		n := strconv.Itoa(i)
		json = append(json, `{"Id":"`+n+`"}`)
		query = append(query, "DeleteMessageBatchRequestEntry."+n+".Id="+n+"&DeleteMessageBatchRequestEntry."+n+".ReceiptHandle=h",
			"MessageAttribute."+n+".Name=a"+n+"&MessageAttribute."+n+".Value.DataType=String")
	}
	c, err := parsed(t, true, "/", `{"Entries":[`+strings.Join(json, ",")+`]}`)
	if err != nil || c.form.sent != 13 || c.form.count != batchMax {
		t.Errorf("JSON: %d of %d entries, %v", c.form.count, c.form.sent, err)
	}
	c, err = parsed(t, false, "/", strings.Join(query, "&"))
	if err != nil || c.form.sent != 13 || c.form.count != batchMax {
		t.Errorf("query: %d of %d entries, %v", c.form.count, c.form.sent, err)
	}
	if l := &c.form.top.attributes; l.sent != 13 || len(l.members) != attributesMax {
		t.Errorf("query: %d of %d attributes", len(l.members), l.sent)
	}
}

func TestQueryRules(t *testing.T) {
	f := func(query, want string) {
		t.Helper()
		_, err := parsed(t, false, "/", query)
		got := ""
		if err != nil {
			got = faultOf(err).Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", query, got, want)
		}
	}
	f("MessageBody=a&Unknown.1.b=c&=&x", "")
	f("MessageBody=a&MessageBody=b", "InvalidParameterValue: The parameter MessageBody is given more than once.")
	f("Attribute.1.Name=a&Attribute.1.Name=b", "InvalidParameterValue: The parameter Attribute.1.Name is given more than once.")
	f("%zz=a", "MalformedQueryString: The query string contains a syntax error.")
	c, err := parsed(t, false, "/?QueueName=q&MessageBody=m", "WaitTimeSeconds=1")
	if diff := cmp.Diff("param 8: \"q\"\nparam 14: \"1\"\nentry 1: \"m\"\n", c.describe()); err != nil || diff != "" {
		t.Errorf("in the URL and in the body: %v %s", err, diff)
	}
}
