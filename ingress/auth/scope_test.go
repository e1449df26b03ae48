package auth

import (
	"net/url"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
)

func TestReadScope(t *testing.T) {
	f := func(credential, want string) {
		t.Helper()
		var header, query fasthttp.RequestHeader
		header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+credential+", SignedHeaders=host, Signature=0")
		query.SetRequestURI("/?X-Amz-Signature=0&X-Amz-Credential=" + url.QueryEscape(credential))
		for _, h := range []*fasthttp.RequestHeader{&header, &query} {
			head := ingress.ParseHead(h)
			if got := ReadScope(&head, "sns"); string(got.Region) != want || !got.Signed {
				t.Errorf("%q: got %+v, want %q", credential, got, want)
			}
		}
	}
	f("AKID/20260102/eu-west-1/sns/aws4_request", "eu-west-1")
	f("a/b/20260102/eu-west-1/sns/aws4_request", "eu-west-1")
	f("AKID/20260102/eu-west-1/sqs/aws4_request", "")
	f("AKID/20260102/EU/sns/aws4_request", "")
	f("AKID/2026/eu-west-1/sns/aws4_request", "")
	f("20260102/eu-west-1/sns/aws4_request", "")
	f("eu-west-1/sns/aws4_request", "")
	f("/sns/aws4_request", "")
	f("", "")

	var h fasthttp.RequestHeader
	h.SetRequestURI("/?Action=Publish")
	head := ingress.ParseHead(&h)
	if got := ReadScope(&head, "sns"); got.Signed || got.Region != nil {
		t.Errorf("a request without a signature has %+v", got)
	}
}
