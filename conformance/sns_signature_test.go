package conformance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// signed is a document as sns-validator is asked about it.
type signed struct{ what, document string }

// validate asks sns-validator about documents and returns what it says: "" for yes.
func validate(t *testing.T, server *program, documents ...signed) []string {
	t.Helper()
	questions := make([]step, 0, len(documents))
	for _, d := range documents {
		questions = append(questions, step{"op": "validate", "document": d.document})
	}
	var verdicts []string
	for _, o := range (nodeProgram{file: "sns-validator.js", url: server.url}).run(t, questions...) {
		verdict := ""
		if o.Error != nil {
			verdict = o.Error.Message
		}
		verdicts = append(verdicts, verdict)
	}
	return verdicts
}

// verifySNS checks a document's signature by the developer guide, with the certificate that the document names.
func verifySNS(t *testing.T, server *program, what, document string) {
	t.Helper()
	names := []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	members := objectMembers(t, document)
	if value(t, members, "Type") == "Notification" {
		names = []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	}
	var canonical strings.Builder
	for _, name := range names {
		if slices.ContainsFunc(members, func(m member) bool { return m.Name == name }) {
			canonical.WriteString(name + "\n" + value(t, members, name) + "\n")
		}
	}
	at, err := url.Parse(value(t, members, "SigningCertURL"))
	must(t, what, err)
	block, _ := pem.Decode([]byte(get(t, server.url+at.Path)))
	if block == nil {
		t.Fatalf("%s: what is served at %s is no certificate", what, at.Path)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	must(t, what, err)
	signature, err := base64.StdEncoding.DecodeString(value(t, members, "Signature"))
	must(t, what, err)
	hash, sum := crypto.SHA1, sha1.Sum([]byte(canonical.String()))
	digest := sum[:]
	if value(t, members, "SignatureVersion") == "2" {
		sum := sha256.Sum256([]byte(canonical.String()))
		hash, digest = crypto.SHA256, sum[:]
	}
	if err := rsa.VerifyPKCS1v15(certificate.PublicKey.(*rsa.PublicKey), hash, digest, signature); err != nil {
		t.Errorf("%s: %v: %s", what, err, document)
	}
}

// oddText is text as people write it and as nobody should.
func oddText(r *rand.Rand, pieces int) string {
	all := []string{
		"a", " ", "\n", "\r\n", "\t", "\u0001", "\u007f", "\"", "\\", "/", "<&>", "é", "e\u0301", "\u2028\u2029", "\ufeff", "\ufffd", "\uffff",
		"😀", "👩\u200d👧", "\u202e", "\U0010ffff", "漢字", "\nType\nNotification\n", "\\u0041", "%41",
	}
	var b strings.Builder
	b.WriteString("x") // SNS takes no empty text
	for range r.IntN(pieces) {
		b.WriteString(all[r.IntN(len(all))])
	}
	return b.String()
}

// TestSNSValidator has the vendor's own package verify what is pushed, as it is: with its pattern for the host of the
// certificate, and so with sns.cert_url.
func TestSNSValidator(t *testing.T) {
	batches := 10
	if os.Getenv("FANFARE_LONG") != "" {
		batches = 250
	}
	for _, version := range []string{"1", "2"} {
		t.Run("version="+version, func(t *testing.T) {
			server, hooks := startWith(t, "sns: {cert_url: 'https://sns.us-east-1.amazonaws.com'}\n"), listen(t)
			client, ctx := snsClient(server), t.Context()
			_, err := client.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("orders"), Attributes: map[string]string{"SignatureVersion": version}})
			must(t, "CreateTopic", err)
			attributes, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &ordersARN})
			must(t, "GetTopicAttributes", err)
			same(t, "SignatureVersion", attributes.Attributes["SignatureVersion"], version)

			hook := hooks.at("/hook")
			_, err = client.Subscribe(ctx, &sns.SubscribeInput{TopicArn: &ordersARN, Protocol: aws.String("http"), Endpoint: aws.String(hook.url)})
			must(t, "Subscribe", err)
			confirmation := hook.next().Body
			documents := []signed{{"the confirmation", confirmation}}
			get(t, value(t, objectMembers(t, confirmation), "SubscribeURL"))

			documents = append(documents, publishOdd(t, server, client, hook, batches)...)
			for i, verdict := range validate(t, server, documents...) {
				if verdict != "" {
					t.Errorf("%s: %s: %s", documents[i].what, verdict, documents[i].document)
				}
				verifySNS(t, server, documents[i].what, documents[i].document)
				same(t, "SignatureVersion of "+documents[i].what, value(t, objectMembers(t, documents[i].document), "SignatureVersion"), version)
			}
			refused := tampered(t, documents[0].document, documents[1].document)
			for i, verdict := range validate(t, server, refused...) {
				same(t, refused[i].what, verdict, "The message signature is invalid.")
			}
		})
	}
}

// publishOdd publishes batches through the SDK, and what SNS would not take through other faces, and returns what arrives.
func publishOdd(t *testing.T, server *program, client *sns.Client, hook *endpoint, batches int) (documents []signed) {
	t.Helper()
	seed := rand.Uint64()
	r := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	add := func(n int) {
		for _, p := range hook.collect(n) {
			documents = append(documents, signed{"a notification", p.Body})
		}
	}
	for range batches {
		var entries []types.PublishBatchRequestEntry
		for _, id := range strings.Split("abcdefghij", "") {
			e := types.PublishBatchRequestEntry{Id: aws.String(id), Message: aws.String(oddText(r, 30))}
			if r.IntN(2) == 0 {
				e.Subject = aws.String("S " + strings.Repeat("ü", r.IntN(20)) + "😀 <&>")
			}
			if r.IntN(4) == 0 {
				text, err := json.Marshal(map[string]string{"default": "for all", "http": *e.Message})
				must(t, "the text by protocol", err)
				e.Message, e.MessageStructure = aws.String(string(text)), aws.String("json")
			}
			entries = append(entries, e)
		}
		reply, err := client.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &ordersARN, PublishBatchRequestEntries: entries})
		must(t, "PublishBatch", err)
		if len(reply.Failed) > 0 {
			t.Fatalf("%s: %s", *reply.Failed[0].Code, *reply.Failed[0].Message)
		}
		add(len(entries))
	}
	for _, body := range []string{"", "not UTF-8: \xff\xfe \xed\xa0\x80", "\x00"} {
		server.call("POST", "/v1/topics/orders/messages", body, http.StatusCreated)
	}
	server.call("POST", "/v2/0123456789abcdef0123456789abcdef/notifications/topics/urn:smn:eu-de:0123456789abcdef0123456789abcdef:orders/publish",
		`{"subject":"","message":"the subject is empty"}`, http.StatusOK)
	add(4)
	return documents
}

// tampered changes one member of a document at a time.
func tampered(t *testing.T, documents ...string) (all []signed) {
	t.Helper()
	for _, document := range documents {
		var members map[string]any
		must(t, "read a document", json.Unmarshal([]byte(document), &members))
		for _, name := range []string{"Message", "MessageId", "Subject", "SubscribeURL", "Timestamp", "Token", "TopicArn"} {
			was, ok := members[name].(string)
			if name == "Token" && members["Type"] != "SubscriptionConfirmation" || !ok && name != "Subject" {
				continue
			}
			members[name] = was + "x"
			text, err := json.Marshal(members)
			must(t, "write a document", err)
			all = append(all, signed{"another " + name, string(text)})
			if members[name] = was; !ok {
				delete(members, name)
			}
		}
	}
	return all
}
