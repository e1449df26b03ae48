package bench

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sign gives a form the signature of a key: version 4 of the scheme, over all of its header fields and its body.
func (f *form) sign(o *PublishOptions, t target, now time.Time) {
	service := "sns"
	if o.Face == faceSQS {
		service = faceSQS
	}
	fields := map[string]string{"host": t.host, "content-length": strconv.Itoa(len(f.body))}
	authorization := 0
	for i := 0; i < len(f.headers); i += 2 {
		if f.headers[i] == "Authorization" {
			authorization = i + 1
			continue
		}
		fields[strings.ToLower(f.headers[i])] = f.headers[i+1]
	}
	names := slices.Sorted(maps.Keys(fields))
	var lines strings.Builder
	for _, name := range names {
		lines.WriteString(name + ":" + fields[name] + "\n")
	}
	signed := strings.Join(names, ";")
	canonical := "POST\n" + t.prefix + f.path + "\n\n" + lines.String() + "\n" + signed + "\n" + hexSum(f.body)
	day := now.UTC().Format(amzDay)
	scope := day + "/" + o.Region + "/" + service + "/aws4_request"
	key := []byte("AWS4" + o.Secret)
	for _, part := range []string{day, o.Region, service, "aws4_request"} {
		key = hmacSum(key, part)
	}
	signature := hmacSum(key, "AWS4-HMAC-SHA256\n"+now.UTC().Format(amzDate)+"\n"+scope+"\n"+hexSum(canonical))
	f.headers[authorization] = "AWS4-HMAC-SHA256 Credential=" + o.AccessKey + "/" + scope + ", SignedHeaders=" + signed +
		", Signature=" + hex.EncodeToString(signature)
}

func hmacSum(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func hexSum(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
