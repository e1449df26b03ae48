package aws

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNames(t *testing.T) {
	f := func(what string, got, want bool) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for text, want := range map[string]bool{"us-east-1": true, "a": true, strings.Repeat("a", 32): true, strings.Repeat("a", 33): false, "": false, "EU": false, "a_b": false} {
		f("region "+text, IsRegion(text), want)
	}
	for text, want := range map[string]bool{"000000000000": true, "00000000000": false, "0000000000000": false, "00000000000x": false, "": false} {
		f("account "+text, IsAccount([]byte(text)), want)
	}
	for text, want := range map[string]bool{
		"a": true, "A-z_0": true, "a.fifo": true, strings.Repeat("a", 80): true, strings.Repeat("a", 81): false, strings.Repeat("a", 75) + ".fifo": true,
		strings.Repeat("a", 76) + ".fifo": false, ".fifo": false, "a.b": false, "a.fifo.fifo": false, "": false, "[": false, "@": false, "ä": false,
	} {
		f("queue "+text, IsQueueName(text), want)
	}
	for text, want := range map[string]QueueARN{
		"arn:aws:sqs:us-east-1:000000000000:q": {"us-east-1", "000000000000", "q"}, "arn:aws-cn:sqs:cn-north-1:123456789012:q.fifo": {"cn-north-1", "123456789012", "q.fifo"},
		"arn:aws:sns:us-east-1:000000000000:q": {}, "arn:aws:sqs:us-east-1:000000000000": {}, "arn:aws:sqs:US:000000000000:q": {}, "": {},
		"arn:aws:sqs:us-east-1:00000000000:q": {}, "arn:other:sqs:us-east-1:000000000000:q": {}, "arn:aws:sqs:us-east-1:000000000000:a:b": {},
	} {
		if got, ok := ParseQueueARN(text); got != want || ok != (want.Name != "") {
			t.Errorf("%q: %+v %v", text, got, ok)
		}
	}
}

func TestAttributes(t *testing.T) {
	for text, want := range map[string]bool{
		"1": true, "-1.5": true, ".5": true, "5.": true, "1e5": true, "+1E-5": true, "99.12": true,
		"": false, ".": false, "e5": false, "1e": false, "1e+": false, "1x": false, "--1": false, "0x1": false, "1 ": false,
	} {
		if IsNumber([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	for text, want := range map[string]string{"String": "String", "Number.int": "Number", "Binary.x.y": "Binary", "String.": "", "string": "", "": "", "String.\xff": ""} {
		if got := AttributeBase([]byte(text)); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
	for text, want := range map[string]bool{"a": true, "a-Z_0.9": true, "": false, ".a": false, "a.": false, "a..b": false, "a b": false, "é": false, strings.Repeat("a", 256): true, strings.Repeat("a", 257): false} {
		if fault := AttributeNameFault([]byte(text)); (fault == "") != want {
			t.Errorf("%q: %q", text, fault)
		}
	}
	for text, want := range map[string]bool{"a": true, "!~": true, strings.Repeat("a", 128): true, strings.Repeat("a", 129): false, "": false, "a b": false, "\x7f": false, "é": false} {
		if IsOrderID([]byte(text)) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
	if !HasPrefixFold([]byte("aWs.x"), "aws.") || HasPrefixFold([]byte("aws"), "aws.") || HasPrefixFold([]byte("awx."), "aws.") {
		t.Error("HasPrefixFold")
	}
	if got := string(AppendSequence([]byte("x"), 7)); got != "x10000000000000000007" {
		t.Errorf("the sequence is %s", got)
	}
}

func TestPolicies(t *testing.T) {
	for _, text := range []string{"", "x", "{}", "[]", `{"Statement":1}`, `{"Statement":["x"]}`, `{"Statement":[{"Effect":"Maybe","Action":"a"}]}`, `{"Statement":[{"Effect":"Allow"}]}`} {
		if _, _, ok := ReadPolicy(text); ok {
			t.Errorf("%q is a policy", text)
		}
	}
	p, statements, ok := ReadPolicy(`{"Id":"i", "Statement":{"Sid":"s","Effect":"Deny","NotAction":["a","b"],"Condition":{"x":"<&>"}}}`)
	if !ok || len(statements) != 1 || statements[0].Sid != "s" || len(statements[0].NotAction) != 2 {
		t.Fatalf("%+v %v", statements, ok)
	}
	if err := p.Allow("l", []string{"111122223333"}, []string{"SQS:*"}, "r"); err != nil {
		t.Fatal(err)
	}
	got, err := p.Text()
	const kept = `{"Sid":"s","Effect":"Deny","NotAction":["a","b"],"Condition":{"x":"<&>"}}`
	const added = `{"Sid":"l","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"SQS:*","Resource":"r"}`
	if diff := cmp.Diff(`{"Id":"i","Statement":[`+kept+`,`+added+`]}`, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if p.Index("l") != 1 || p.Index("nothing") != -1 {
		t.Errorf("the statement is at %d", p.Index("l"))
	}
	if p.Remove(0); p.Index("l") != 0 {
		t.Errorf("behind the removal it is at %d", p.Index("l"))
	}
}
