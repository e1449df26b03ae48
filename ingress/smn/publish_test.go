package smn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/apigw"
	"fanfare/ingress/facetest"
	"fanfare/ingress/scan"
)

// parse runs a body through the parser of a publish.
func parse(body []byte) (*engine.Message, *apigw.Error) {
	var p publication
	if fault := p.scan(body); fault != nil {
		return nil, fault
	}
	m := engine.NewMessage()
	if fault := p.fill(m); fault != nil {
		m.Release()
		return nil, fault
	}
	return m, nil
}

func TestPublishFaults(t *testing.T) {
	f := func(body string, want *apigw.Error) {
		t.Helper()
		m, got := parse([]byte(body))
		if got != want {
			t.Errorf("%.100q: got %v, want %v", body, got, want)
		}
		if m != nil {
			m.Release()
		}
	}
	long := func(n int) string { return strings.Repeat("x", n) }

	// Not a JSON object.
	for _, body := range []string{
		"", " ", "null", "[]", `"m"`, "{", `{"message":"m"`, `{"message":"m"}}`, `{"message":"m"}x`, `{"message":"m",}`,
		"\ufeff" + `{"message":"m"}`, "{\"message\":\"\xff\"}", "{\"message\":\"\xed\xa0\x80\"}", `{"message":"\x41"}`,
		"{\"message\":\"a\nb\"}", `{"message":"m","x":01}`, `{"message":"m","x":NaN}`, `{message:"m"}`,
		`{"message":"m","x":` + strings.Repeat("[", 100_000) + `}`,
		`{"message":"m","x":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`,
		`message=m`, `<message/>`,
	} {
		f(body, errNotJSON)
	}

	// The body.
	f(`{}`, errMessage)
	f(`{"subject":"s"}`, errMessage)
	f(`{"message":""}`, errMessage)
	f(`{"message":null}`, errMessage)
	f(`{"Message":"m"}`, errMessage) // names are case-sensitive
	for _, wrong := range []string{`1`, `true`, `false`, `{}`, `["m"]`} {
		f(`{"message":`+wrong+`}`, errMessage)
		f(`{"message":"m","subject":`+wrong+`}`, errSubject)
		f(`{"message":"m","message_structure":`+wrong+`}`, errStructure)
		f(`{"message":"m","message_template_name":`+wrong+`}`, errTemplateName)
	}
	f(`{"message":"`+long(messageBytesMax)+`"}`, nil)
	f(`{"message":"`+long(messageBytesMax+1)+`"}`, errMessage)
	f(`{"message":"`+strings.Repeat(`\u0078`, messageBytesMax)+`"}`, nil)
	f(`{"message":"`+strings.Repeat(`é`, messageBytesMax/2)+`"}`, nil)
	f(`{"message":"`+strings.Repeat(`é`, messageBytesMax/2)+`x"}`, errMessage)
	f(`{"message":"m","unknown":{"a":[1,2]},"locale":"en-us"}`, nil)
	f(`{"message":"\ud800"}`, nil) // becomes U+FFFD
	f(`{"message":"\u0000"}`, nil)

	// The subject.
	f(`{"message":"m","subject":""}`, nil)
	f(`{"message":"m","subject":"`+long(subjectBytesMax)+`"}`, nil)
	f(`{"message":"m","subject":"`+long(subjectBytesMax+1)+`"}`, errSubject)
	f(`{"message":"m","subject":"a\nb"}`, errSubject)
	f(`{"message":"m","subject":"a\u007fb"}`, errSubject)

	// The structure.
	f(`{"message_structure":"{\"default\":\"d\"}"}`, nil)
	f(`{"message_structure":"{\"default\":\"\"}"}`, nil)
	f(`{"message_structure":"","message":"m"}`, nil)
	f(`{"message_structure":null,"message":"m"}`, nil)
	f(`{"message_structure":"{\"default\":\"d\"}","message_template_name":"t","message":"m"}`, nil)
	f(`{"message_structure":"{\"https\":\"d\"}","message":"m"}`, errStructure)
	f(`{"message_structure":"{\"default\":1}"}`, errStructure)
	f(`{"message_structure":"{\"default\":\"d\",\"https\":{}}"}`, errStructure)
	f(`{"message_structure":"[]"}`, errStructure)
	f(`{"message_structure":"d"}`, errStructure)
	f(`{"message_structure":"{\"default\":\"d\""}`, errStructure)
	f(`{"message_structure":"{\"default\":\"d\"} x"}`, errStructure)
	f(`{"message_structure":"{\"default\":\"`+long(messageBytesMax-14)+`\"}"}`, nil)
	f(`{"message_structure":"{\"default\":\"`+long(messageBytesMax-13)+`\"}"}`, errStructure)
	f(`{"message_template_name":"t","message":"m"}`, errTemplate)
	f(`{"message_template_name":"t","tags":{"a":"b"}}`, errTemplate)
	f(`{"message_template_name":"","message":"m"}`, nil)
	f(`{"message":"m","tags":[]}`, errTags)

	// The time to live.
	for _, ok := range []string{`"1"`, `1`, `"604800"`, `604800`, `"0060"`, `null`, `"\u0031"`} {
		f(`{"message":"m","time_to_live":`+ok+`}`, nil)
	}
	for _, wrong := range []string{
		`""`, `"0"`, `0`, `"-1"`, `-1`, `"+1"`, `" 1"`, `"1.5"`, `1.5`, `1e2`, `"604801"`, `604801`, `"x"`, `true`, `{}`, `[]`,
		`18446744073709551617`, `"18446744073709551617"`, `1e999`, `"` + long(1000) + `"`, strings.Repeat("9", 1000),
	} {
		f(`{"message":"m","time_to_live":`+wrong+`}`, errTimeToLive)
	}

	// The attributes.
	attributes := func(array string, want *apigw.Error) {
		t.Helper()
		f(`{"message":"m","message_attributes":`+array+`}`, want)
	}
	for _, ok := range []string{
		`[]`, `null`, `[{"name":"colour","type":"STRING","value":"red"}]`, `[{"value":"漢字_1é","type":"STRING","name":"a_1","x":[]}]`,
		`[{"name":"a","type":"STRING","value":"` + strings.Repeat(`\u6f22`, 32) + `"}]`,
		`[{"name":"a","type":"STRING_ARRAY","value":["b","c"]},{"name":"smn_protocol","type":"PROTOCOL","value":["http"]}]`,
		`[{"name":"x","type":"STRING","value":"b","name":"a"}]`,
	} {
		attributes(ok, nil)
	}
	for _, wrong := range []string{
		`{}`, `"a"`, `1`, `[1]`, `[[]]`, `["a"]`, `[null]`, `[{}]`, `[{"name":"a","type":"STRING"}]`,
		`[{"name":"a","value":"b"}]`, `[{"type":"STRING","value":"b"}]`, `[{"name":1,"type":"STRING","value":"b"}]`,
		`[{"name":"a","type":1,"value":"b"}]`, `[{"name":"a","type":"String","value":"b"}]`, `[{"name":"a","type":"STRING","value":1}]`,
		`[{"name":"a","type":"STRING","value":["b"]}]`, `[{"name":"a","type":"STRING","value":""}]`,
		`[{"name":"a","type":"STRING","value":"b c"}]`, `[{"name":"a","type":"STRING","value":"` + long(33) + `"}]`,
		`[{"name":"A","type":"STRING","value":"b"}]`, `[{"name":"","type":"STRING","value":"b"}]`,
		`[{"name":"` + long(33) + `","type":"STRING","value":"b"}]`, `[{"name":"` + long(100) + `","type":"STRING","value":"b"}]`,
		`[{"name":"a","type":"STRING_ARRAY","value":"b"}]`, `[{"name":"a","type":"STRING_ARRAY","value":[]}]`,
		`[{"name":"a","type":"STRING_ARRAY","value":["b","b"]}]`, `[{"name":"a","type":"STRING_ARRAY","value":["b",1]}]`,
		`[{"name":"a","type":"STRING_ARRAY","value":["a","b","c","d","e","f","g","h","i","j","k"]}]`,
		`[{"name":"a","type":"STRING_ARRAY","value":["` + long(1000) + `"]}]`,
		`[{"name":"a","type":"PROTOCOL","value":["http"]}]`, `[{"name":"smn_protocol","type":"PROTOCOL","value":["fax"]}]`,
		`[{"name":"smn_protocol","type":"PROTOCOL","value":"http"}]`,
	} {
		attributes(wrong, errAttributes)
	}
}

func TestPublishFields(t *testing.T) {
	m, fault := parse([]byte(`{"subject":"gr\u00e9eting","message":"a\"\\\/\n\ud83d\ude00\ud800b","time_to_live":7}`))
	if fault != nil {
		t.Fatal(fault)
	}
	defer m.Release()
	if got := string(m.Body()); got != "a\"\\/\n\U0001F600\ufffdb" {
		t.Errorf("body %q", got)
	}
	if got := string(m.Get(engine.FieldSubject)); got != "gréeting" {
		t.Errorf("subject %q", got)
	}
	if got := m.ExpiresAt() - m.PublishedAt(); got != 7000 {
		t.Errorf("expires after %d ms", got)
	}
	m, fault = parse([]byte(`{"message":"m","subject":""}`))
	if fault != nil {
		t.Fatal(fault)
	}
	defer m.Release()
	if m.Has(engine.FieldSubject) || m.ExpiresAt()-m.PublishedAt() != timeToLiveDefault*1000 {
		t.Error("an empty subject is there, or the default time to live is not")
	}
}

func TestPublishURN(t *testing.T) {
	face, recorder := newFace(t)
	if _, _, err := face.engine.CreateTopic("%DLQ%billing.x|y", nil); err != nil {
		t.Fatal(err)
	}
	f := func(urn string, want *apigw.Error) {
		t.Helper()
		do(t, face, "POST", base+"/topics/"+urn+"/publish", `{"message":"m"}`).wantError(t, urn, want)
	}
	f("orders", errTopicURN)
	f("urn:smn:eu-de:"+project, errTopicURN)
	f("urn:smn:eu-de:"+project+":", errTopicURN)
	f("urn:smn::"+project+":orders", errTopicURN)
	f("urn:smn:eu-de::orders", errTopicURN)
	f("urn:sns:eu-de:"+project+":orders", errTopicURN)
	f(ordersURN+":5f0e1d2c3b4a59687786958493a2b1c0", errTopicURN)
	f(ordersURN+":a:b", errTopicURN)
	f(ordersURN+"%", errTopicURN)
	f(ordersURN+"%3", errTopicURN)
	f(ordersURN+"%zz", errTopicURN)
	f(strings.Repeat("x", 5000), errTopicURN)
	f("urn:smn:cn-north-4:"+project+":orders", errTopic)
	f("urn:smn:eu-de:"+other+":orders", errTopic)
	f("urn:smn:eu-de:"+project+":absent", errTopic)
	f(ordersURN+"%00", errTopic)
	f(ordersURN+"%2F", errTopic)

	do(t, face, "POST", base+"/topics/urn%3asmn%3Aeu-de:"+project+":%25DLQ%25billing.x%7Cy/publish/", `{"message":"m"}`).wantStatus(t, "encoded", 200)
	face.engine.Close()
	if got := recorder.Messages(); len(got) != 1 || !strings.Contains(got[0], "topic: %DLQ%billing.x|y\n") {
		t.Errorf("published %q", got)
	}
}

// Any project is a name of the one tenant.
func TestPublishFromAnotherProject(t *testing.T) {
	face, _ := newFace(t)
	urn := "urn:smn:eu-de:" + other + ":orders"
	do(t, face, "POST", "/v2/"+other+"/notifications/topics/"+urn+"/publish", `{"message":"m"}`).wantStatus(t, urn, 200)
}

func TestPublishTooLarge(t *testing.T) {
	face, _ := newFace(t)
	body := `{"message":"` + strings.Repeat("x", 10<<20) + `"}`
	do(t, face, "POST", base+"/topics/"+ordersURN+"/publish", body).wantError(t, "10 MB message", errMessage)
	do(t, face, "POST", base+"/topics", body).wantError(t, "10 MB of something else", apigw.ErrTooLarge)
	request := "POST " + base + "/topics HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
	if got := facetest.Do(t, face, []byte(request)); !bytes.HasPrefix(got, []byte("HTTP/1.1 400")) || !bytes.Contains(got, []byte("APIGW.0201")) {
		t.Errorf("ambiguous framing: %s", got)
	}
}

// oracle reads a publish with encoding/json. It knows nothing of the scanner.
func oracle(body []byte) (want struct {
	subject, body, structure string
	ttl                      int64
	attributes               int
}, fault *apigw.Error,
) {
	var o map[string]any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if !utf8.Valid(body) || !json.Valid(body) || d.Decode(&o) != nil || o == nil {
		return want, errNotJSON
	}
	text := func(name string, wrong *apigw.Error) (s string) {
		switch v := o[name].(type) {
		case nil:
		case string:
			return v
		default:
			if fault == nil {
				fault = wrong
			}
		}
		return ""
	}
	want.subject = text("subject", errSubject)
	message := text("message", errMessage)
	want.structure = text("message_structure", errStructure)
	template := text("message_template_name", errTemplateName)
	if _, ok := o["tags"].(map[string]any); fault == nil && o["tags"] != nil && !ok {
		fault = errTags
	}
	attributes, ok := o["message_attributes"].([]any)
	if fault == nil && o["message_attributes"] != nil && !ok {
		fault = errAttributes
	}
	switch {
	case fault != nil:
		return want, fault
	case len(want.subject) > subjectBytesMax, regexp.MustCompile("[\x00-\x1f\x7f]").MatchString(want.subject):
		return want, errSubject
	case want.structure != "":
		var texts map[string]any
		if !json.Valid([]byte(want.structure)) || json.Unmarshal([]byte(want.structure), &texts) != nil || texts == nil || len(want.structure) > messageBytesMax {
			return want, errStructure
		}
		for _, v := range texts {
			if _, ok := v.(string); !ok {
				return want, errStructure
			}
		}
		if want.body, ok = texts["default"].(string); !ok {
			return want, errStructure
		}
	case template != "":
		return want, errTemplate
	case message == "", len(message) > messageBytesMax:
		return want, errMessage
	default:
		want.body = message
	}
	if want.ttl = 3600; o["time_to_live"] != nil {
		digits := fmt.Sprint(o["time_to_live"])
		n, err := strconv.ParseUint(digits, 10, 63)
		switch o["time_to_live"].(type) {
		case string, json.Number:
		default:
			err = strconv.ErrSyntax
		}
		if err != nil || n < 1 || n > timeToLiveMax || len(digits) > nameBytes {
			return want, errTimeToLive
		}
		want.ttl = int64(n)
	}
	want.attributes = len(attributes)
	return want, nil
}

func FuzzSMNPublish(f *testing.F) {
	for _, seed := range []string{
		`{"subject":"greeting","message":"order 42 paid","time_to_live":"3600"}`,
		`{"message_structure":"{\"default\":\"d\",\"https\":\"{\\\"n\\\":1}\"}","time_to_live":120}`,
		`{"message":"m","message_attributes":[{"name":"colour","type":"STRING","value":"red"},{"name":"smn_protocol","type":"PROTOCOL","value":["http","https"]}]}`,
		`{"message":"a","message":"b\ud800\u00e9","subject":null}`, `{"message":1}`, `{"message":"m","time_to_live":"0"}`, `[]`, `{"m\u0065ssage":"m"}`,
		`{"message_structure":"{\"default\":\"d\",\"default\":1}"}`, `{"message_template_name":"t"}`,
		`{"message_structure":"{\"default\":1,\"default\":\"d\"}"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		want, wantFault := oracle(body)
		m, fault := parse(body)
		if m != nil {
			defer m.Release()
		}
		if fault == errNotJSON && wantFault != errNotJSON && deep(body) {
			return
		}
		if fault == errStructure && wantFault != errStructure && (deep([]byte(want.structure)) || repeats([]byte(want.structure))) {
			return
		}
		if fault != wantFault && fault != errAttributes {
			t.Fatalf("%q: got %v, want %v", body, fault, wantFault)
		}
		if fault != nil {
			return
		}
		attributes := 0
		for it := m.Attributes(); it.Next(); attributes++ {
			if !validAttributeName(it.Name) || !utf8.Valid(it.Value) {
				t.Fatalf("%q: attribute %q %q", body, it.Name, it.Value)
			}
		}
		if string(m.Body()) != want.body || string(m.Get(engine.FieldSubject)) != want.subject ||
			string(m.Get(engine.FieldStructure)) != want.structure || m.ExpiresAt()-m.PublishedAt() != want.ttl*1000 || attributes != want.attributes {
			t.Fatalf("%q: got %q, %q, %q, %d, %d", body, m.Body(), m.Get(engine.FieldSubject), m.Get(engine.FieldStructure), m.ExpiresAt()-m.PublishedAt(), attributes)
		}
	})
}

// deep reports whether the scanner refuses the text for its depth.
func deep(text []byte) bool {
	var s scan.JSON
	for s.Reset(text); ; {
		if kind := s.Next(); kind == scan.JSONInvalid || kind == scan.JSONEnd {
			return errors.Is(s.Err(), scan.ErrJSONDepth)
		}
	}
}

// repeats reports whether a name occurs twice in the object: then a text that does not count may be of a
// wrong type for us and unseen by the oracle.
func repeats(object []byte) bool {
	var s scan.JSON
	s.Reset(object)
	s.Next()
	seen := map[string]bool{}
	for s.Next() == scan.JSONKey {
		key := string(s.Key(nil))
		if seen[key] {
			return true
		}
		seen[key] = true
		s.Next()
		s.Skip()
	}
	return false
}

func BenchmarkPublishParse(b *testing.B) {
	body := []byte(`{"subject":"greeting","message":"` + strings.Repeat("x", 1024) + `","time_to_live":"3600"}`)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		m, fault := parse(body)
		if fault != nil {
			b.Fatal(fault)
		}
		m.Release()
	}
}
