package conformance

import (
	"bytes"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// wholeRequests is an HTTP client that sends bodies of its own. The SDK closes the body of a request as soon as it has
// the head of the reply; when net/http has not seen the body's end by then, it ends the connection, and a reply of more
// than the 4 KiB that are read at once is cut off. Against a server as near as this one that happens to some calls in a
// hundred. The SDK would try again, and hide what else goes wrong.
type wholeRequests struct{ client *http.Client }

func (w wholeRequests) Do(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req = req.Clone(req.Context())
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return w.client.Do(req)
}

// snsClient and sqsClient are the clients of the SDK. Retries are off, so that they hide no error.
func snsClient(p *program) *sns.Client {
	return sns.New(sns.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", ""), HTTPClient: wholeRequests{&http.Client{}},
	})
}

func sqsClient(p *program) *sqs.Client { return sqsClientWith(p, "test", "test") }

func sqsClientWith(p *program, accessKey, secret string) *sqs.Client {
	return sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(p.url), Retryer: aws.NopRetryer{},
		Credentials: credentials.NewStaticCredentialsProvider(accessKey, secret, ""), HTTPClient: wholeRequests{&http.Client{}},
	})
}

// snsTopic makes a topic and returns its ARN.
func snsTopic(t testing.TB, client *sns.Client, name string) string {
	t.Helper()
	created, err := client.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name})
	must(t, "CreateTopic", err)
	return *created.TopicArn
}

// sqsQueue makes a queue and returns its URL.
func sqsQueue(t testing.TB, client *sqs.Client, name string, attributes map[string]string) *string {
	t.Helper()
	created, err := client.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	must(t, "CreateQueue", err)
	return created.QueueUrl
}
