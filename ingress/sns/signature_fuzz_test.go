package sns

import (
	"net/url"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"fanfare/ingress"
	"fanfare/ingress/aws"
)

// FuzzSNSSignature reads the region out of signatures, in the header or in the query, and compares it with another
// reading of the credential's scope.
func FuzzSNSSignature(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=test/20260102/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=00", "")
	f.Add("", "AKID/20260102/eu-central-1/sns/aws4_request")
	f.Add("AWS4-HMAC-SHA256 Credential=a/b/20260102/us-east-1/sns/aws4_request", "x")
	f.Add("MQ key:signature", "a/2026010/us-east-1/sns/aws4_request")
	face := New(nil, Options{})
	f.Fuzz(func(t *testing.T, authorization, credential string) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		header := &ctx.Request.Header
		header.SetMethod("POST")
		header.SetRequestURI("/?X-Amz-Credential=" + url.QueryEscape(credential) + "&X-Amz-Signature=0")
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		h := ingress.ParseHead(header)
		c := newCall(face, &ctx, &h)
		defer c.release()
		want := credential
		if kept := string(header.Peek("Authorization")); kept != "" {
			want = ""
			if strings.HasPrefix(kept, "AWS4-HMAC-SHA256 ") {
				_, want, _ = strings.Cut(kept, "Credential=")
				want, _, _ = strings.Cut(want, ",")
				want, _, _ = strings.Cut(want, " ")
			}
		}
		if got := string(c.region); got != oracleRegion(want) || !c.signed {
			t.Errorf("%q, %q: region %q, want %q; signed %v", authorization, credential, got, oracleRegion(want), c.signed)
		}
	})
}

// oracleRegion is the region of KEY/yyyymmdd/REGION/sns/aws4_request, where the key may have slashes.
func oracleRegion(credential string) string {
	parts := strings.Split(credential, "/")
	n := len(parts)
	if n < 5 || parts[n-1] != "aws4_request" || parts[n-2] != "sns" || len(strings.Join(parts[:n-4], "/")) == 0 {
		return ""
	}
	if day := parts[n-4]; len(day) != 8 || strings.Trim(day, "0123456789") != "" || !aws.IsRegion(parts[n-3]) {
		return ""
	}
	return parts[n-3]
}
