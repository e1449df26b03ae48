package ingress_test

import (
	"strings"
	"testing"

	"fanfare/ingress/facetest"
)

// jsonFaces are the operations whose body is JSON, and what each answers to a body that is not.
var jsonFaces = []struct{ name, head, refused string }{
	{"smn", headSMN, `400 {"request_id":"ID","code":"APIGW.0201","message":"API request error. The body is not a JSON object.","error_code":"APIGW.0201","error_msg":"API request error. The body is not a JSON object."}`},
	{"smn topics", "POST /v2/" + edgeProject + "/notifications/topics HTTP/1.1\r\nHost: x\r\n", `400 {"request_id":"ID","code":"APIGW.0201","message":"API request error. The body is not a JSON object.","error_code":"APIGW.0201","error_msg":"API request error. The body is not a JSON object."}`},
	{"dms", headDMS, `400 {"error_code":"DMS.00400005","error_msg":"The message body is not in JSON format or contains invalid characters.","request_id":"ID"}`},
	{"dms topics", "POST /v2/" + edgeProject + "/instances/3f2a9c1e-7b4d-4e0a-9c55-0d1e2f3a4b5c/topics HTTP/1.1\r\nHost: x\r\n", `400 {"error_code":"DMS.00400005","error_msg":"The message body is not in JSON format or contains invalid characters.","request_id":"ID"}`},
	{"native settings", headSettings, `400 {"error":"invalid_body","message":`},
}

// TestJSONCorpusAsBodies sends every text of the corpus that is not JSON as the body of every operation that takes
// JSON: each is refused with the face's own error, none with another.
func TestJSONCorpusAsBodies(t *testing.T) {
	h := newHandler(t)
	cases := facetest.Corpus(t, "scan/testdata/json/refuse.txt")
	for _, face := range jsonFaces {
		for _, c := range cases {
			if len(c.Text) == 0 {
				continue // below
			}
			status, body := h.answer(t, withLength(face.head, string(c.Text)))
			if got := replyLine(status, body); !strings.HasPrefix(got, face.refused) {
				t.Errorf("%s, %s: %s, want %s", face.name, c.Name, got, face.refused)
			}
		}
	}
	// No body at all has an error of its own in one of the clouds.
	for head, want := range map[string]string{
		headSMN:      jsonFaces[0].refused,
		headDMS:      `400 {"error_code":"DMS.00400004","error_msg":"The request body is empty.","request_id":"ID"}`,
		headSettings: `400 {"error":"invalid_body","message":"the body is not JSON."}`,
	} {
		if status, body := h.answer(t, withLength(head, "")); replyLine(status, body) != want {
			t.Errorf("no body: %s, want %s", replyLine(status, body), want)
		}
	}
}

// TestJSONCorpusInside puts every text where a value of a publish belongs that the faces do not look at: what is not
// JSON spoils the whole body, what is JSON is passed over.
func TestJSONCorpusInside(t *testing.T) {
	h := newHandler(t)
	bodies := []struct{ head, before, after string }{
		{headSMN, `{"message":"m","x":`, `}`},
		{headDMS, `{"topic":"orders","body":"m","x":`, `}`},
	}
	for _, file := range []string{"accept", "refuse", "either"} {
		for _, c := range facetest.Corpus(t, "scan/testdata/json/"+file+".txt") {
			accept := file == "accept" || c.Verdict == "accept"
			if strings.Contains(c.Name, "depth") {
				continue // one level deeper than as a text of its own
			}
			for _, b := range bodies {
				status, body := h.answer(t, withLength(b.head, b.before+string(c.Text)+b.after))
				if accept && status != 200 || !accept && status != 400 {
					t.Errorf("%s in %s: %d %.200s", c.Name, b.before, status, body)
				}
			}
		}
	}
}

// TestJSONCorpusElsewhere sends every text as a body, whatever it is, to each face: no answer is a server's fault.
func TestJSONCorpusElsewhere(t *testing.T) {
	h := newHandler(t)
	for _, file := range []string{"accept", "either"} {
		for _, c := range facetest.Corpus(t, "scan/testdata/json/"+file+".txt") {
			for _, head := range []string{headSMN, headDMS, headSettings, headSMQ, headRocketMQ, headSNS} {
				if status, body := h.answer(t, withLength(head, string(c.Text))); status < 400 || status > 499 {
					t.Errorf("%s: %d %.200s", c.Name, status, body)
				}
			}
			if status, body := h.answer(t, withLength(headNative, string(c.Text))); status != 201 {
				t.Errorf("%s: %d %.200s", c.Name, status, body)
			}
		}
	}
}
