package conformance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Source: "AWS Signature Version 4 for API requests" in the IAM user guide. The signers are the SDKs' own.

const credentialsFile = `
credentials:
  - {name: tester, access_key: test, secret: test}
  - {name: publisher, access_key: AKIDPUBLISH, secret: wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY, permissions: [publish]}
`

// startClosed starts a program that asks for signatures.
func startClosed(t *testing.T) *program {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fanfare.yaml")
	must(t, "writing the configuration", os.WriteFile(file, []byte(credentialsFile), 0o600))
	t.Setenv("FANFARE_CONFIG", file)
	return start(t)
}

// clientWith is a client of another key.
func clientWith(p *program, accessKey, secret, token string) *sns.Client {
	return sns.New(sns.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, token),
	})
}

// codeOf is the code of an error as the SDK has it.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// TestSignedBySDK signs with the SDK for Go, with good and bad keys.
func TestSignedBySDK(t *testing.T) {
	server := startClosed(t)
	owner := clientWith(server, "test", "test", "")
	topic, err := owner.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders"), Attributes: map[string]string{"DisplayName": "d n"}})
	must(t, "CreateTopic", err)
	same(t, "TopicArn", *topic.TopicArn, ordersARN)
	_, err = owner.Publish(t.Context(), &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("héllo & <x>=1+1 ~*'()"), Subject: aws.String("Sub ject")})
	must(t, "Publish", err)
	_, err = owner.PublishBatch(t.Context(), &sns.PublishBatchInput{TopicArn: &ordersARN, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String(strings.Repeat("é", 100_000))},
	}})
	must(t, "PublishBatch", err)
	_, err = clientWith(server, "test", "test", "a session token").ListTopics(t.Context(), &sns.ListTopicsInput{})
	must(t, "ListTopics with a session token", err)

	f := func(client *sns.Client, want string) {
		t.Helper()
		_, err := client.Publish(t.Context(), &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("m")})
		same(t, "the code", codeOf(err), want)
	}
	const secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	f(clientWith(server, "AKIDPUBLISH", secret, ""), "")
	f(clientWith(server, "AKIDPUBLISH", secret+"x", ""), "SignatureDoesNotMatch")
	f(clientWith(server, "AKIDOTHER", secret, ""), "InvalidClientTokenId")
	f(sns.New(sns.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.url), Retryer: aws.NopRetryer{}, Credentials: aws.AnonymousCredentials{}}), "MissingAuthenticationToken")

	_, err = clientWith(server, "AKIDPUBLISH", secret, "").DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: &ordersARN})
	var refused *types.AuthorizationErrorException
	if !errors.As(err, &refused) {
		t.Fatalf("DeleteTopic of a publisher: %v", err)
	}
	same(t, "the text", refused.ErrorMessage(), "User: arn:aws:iam::000000000000:user/publisher is not authorized to perform: SNS:DeleteTopic on resource: "+
		ordersARN+" because no identity-based policy allows the SNS:DeleteTopic action")
}

// TestConfirmedUnsigned follows the link of a confirmation, which nobody signs.
func TestConfirmedUnsigned(t *testing.T) {
	server := startClosed(t)
	hook := listen(t).at("/hook")
	owner := clientWith(server, "test", "test", "")
	_, err := owner.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("orders")})
	must(t, "CreateTopic", err)
	_, err = owner.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &ordersARN, Protocol: aws.String("http"), Endpoint: &hook.url})
	must(t, "Subscribe", err)
	document := objectMembers(t, hook.next().Body)
	get(t, value(t, document, "SubscribeURL"))
	_, err = owner.Publish(t.Context(), &sns.PublishInput{TopicArn: &ordersARN, Message: aws.String("m")})
	must(t, "Publish", err)
	get(t, value(t, objectMembers(t, hook.next().Body), "UnsubscribeURL"))
	list, err := owner.ListSubscriptions(t.Context(), &sns.ListSubscriptionsInput{})
	must(t, "ListSubscriptions", err)
	same(t, "subscriptions that are left", len(list.Subscriptions), 0)
}

// ask sends a request and returns status and code.
func ask(t testing.TB, req *http.Request) (status int, code string) {
	t.Helper()
	res, err := http.DefaultClient.Do(req)
	must(t, "the request", err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	must(t, "the reply", err)
	_, code, _ = strings.Cut(string(body), "<Code>")
	code, _, _ = strings.Cut(code, "</Code>")
	return res.StatusCode, code
}

// TestSignedAtOtherTimes uses the SDK's signer with a clock that is wrong, in both forms.
func TestSignedAtOtherTimes(t *testing.T) {
	server := startClosed(t)
	server.topic("orders")
	signer, key := v4.NewSigner(), aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}
	const form = "Action=Publish&Message=hello+world&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3Aorders&Version=2010-03-31"
	sum := sha256.Sum256([]byte(form))
	header := func(skew time.Duration, status int, code string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/", strings.NewReader(form))
		must(t, "the request", err)
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		must(t, "SignHTTP", signer.SignHTTP(context.Background(), key, req, hex.EncodeToString(sum[:]), "sns", "us-east-1", time.Now().Add(skew)))
		if gotStatus, gotCode := ask(t, req); gotStatus != status || gotCode != code {
			t.Errorf("signed %v off: got %d %s, want %d %s", skew, gotStatus, gotCode, status, code)
		}
	}
	header(0, 200, "")
	header(-14*time.Minute, 200, "")
	header(14*time.Minute, 200, "")
	header(-15*time.Minute-10*time.Second, 403, "SignatureDoesNotMatch")
	header(15*time.Minute+10*time.Second, 403, "SignatureDoesNotMatch")

	empty := sha256.Sum256(nil)
	presigned := func(skew time.Duration, expires, change string, status int, code string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.url+"/?"+form+"&Subject=a+b%26c&X-Amz-Expires="+expires, http.NoBody)
		must(t, "the request", err)
		link, _, err := signer.PresignHTTP(context.Background(), key, req, hex.EncodeToString(empty[:]), "sns", "us-east-1", time.Now().Add(skew))
		must(t, "PresignHTTP", err)
		if change != "" {
			link = strings.Replace(link, "hello", change, 1)
		}
		req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, link, http.NoBody)
		must(t, "the presigned request", err)
		if gotStatus, gotCode := ask(t, req); gotStatus != status || gotCode != code {
			t.Errorf("presigned %v off for %s s: got %d %s, want %d %s", skew, expires, gotStatus, gotCode, status, code)
		}
	}
	presigned(0, "60", "", 200, "")
	presigned(-time.Hour, "7200", "", 200, "")
	presigned(-time.Hour, "3000", "", 400, "RequestExpired")
	presigned(time.Hour, "60", "", 403, "SignatureDoesNotMatch")
	presigned(0, "60", "bye", 403, "SignatureDoesNotMatch")
	presigned(0, "604801", "", 400, "IncompleteSignature")
}

// TestSignedByNode signs with the SDK for Node.js, which signs more of the header, and spells the form in another way.
func TestSignedByNode(t *testing.T) {
	server := startClosed(t)
	server.topic("orders")
	replies := nodeProgram{file: "sns.js", url: server.url}.run(t,
		step{"op": "publish", "input": step{"TopicArn": ordersARN, "Message": "héllo & <x>=1+1 ~*'()", "Subject": "Sub ject"}},
		step{"op": "createTopic", "input": step{"Name": "more"}})
	matches(t, "MessageId", *decode[sns.PublishOutput](t, "publish", replies[0]).MessageId, uuidForm)
	same(t, "TopicArn", *decode[sns.CreateTopicOutput](t, "createTopic", replies[1]).TopicArn, snsARN+"more")
}
