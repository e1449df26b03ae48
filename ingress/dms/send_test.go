package dms

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"fanfare/engine/jsontext"

	"fanfare/engine"
	"fanfare/ingress/apigw"
	"fanfare/ingress/scan"
)

func TestSendFaults(t *testing.T) {
	face, _ := newFace(t)
	f := func(body string, want *apigw.Error) {
		t.Helper()
		do(t, face, "POST", styleA, body).wantError(t, body, want)
	}
	f("", errEmpty)
	for _, body := range []string{
		" ", "null", "[]", `"m"`, "{", `{"topic":"orders","body":"m"`, `{"topic":"orders","body":"m"}}`, `{"topic":"orders","body":"m"}x`,
		"\ufeff" + `{"topic":"orders","body":"m"}`, "{\"topic\":\"orders\",\"body\":\"\xff\"}", `{"topic":"orders","body":"\x41"}`,
		"{\"topic\":\"orders\",\"body\":\"a\nb\"}", `{"topic":"orders","body":"m","x":01}`, `{"topic":"orders","body":"m","x":NaN}`,
		`{"topic":"orders","body":"m","x":` + strings.Repeat("[", 100_000) + `}`, `topic=orders`,
	} {
		f(body, errNotJSON)
	}
	f(`{}`, errTopicField)
	f(`{"body":"m"}`, errTopicField)
	f(`{"topic":"","body":"m"}`, errTopicField)
	f(`{"topic":"orders"}`, errBody)
	f(`{"topic":"orders","body":""}`, errBody)
	f(`{"topic":"orders","body":null}`, errBody)
	for _, wrong := range []string{`1`, `true`, `{}`, `["m"]`, `1e999`, `null`} {
		f(`{"topic":`+wrong+`,"body":"m"}`, errTopicField)
		f(`{"topic":"orders","body":`+wrong+`}`, errBody)
	}
	for _, wrong := range []string{`1`, `"a"`, `{}`, `[1]`, `["a"]`, `[null]`, `[[]]`, `[{"name":1,"value":"a"}]`, `[{"name":"KEYS","value":1}]`, `[{"name":"KEYS","value":["a"]}]`} {
		f(`{"topic":"orders","body":"m","property_list":`+wrong+`}`, errProperties)
	}
	f(`{"topic":"absent","body":"m"}`, errTopic)
	f(`{"topic":"Orders","body":"m"}`, errTopic)
	f(`{"topic":"orders\u0000","body":"m"}`, errTopic)
	f(`{"topic":"orders","body":"`+strings.Repeat("x", messageBytesMax+1)+`"}`, errBodySize)
	f(`{"topic":"orders","body":"`+strings.Repeat("x", 10<<20)+`"}`, errBodySize)
	f(`{"topic":"orders","body":"m","property_list":[{"name":"a","value":"`+strings.Repeat("x", propertiesBytesMax)+`"}]}`, errPropertySize)
	do(t, face, "POST", styleC+"/topics", strings.Repeat(" ", 10<<20)).wantError(t, "10 MB of something else", apigw.ErrTooLarge)
}

func TestSendLimits(t *testing.T) {
	face, _ := newFace(t)
	body := strings.Repeat("x", messageBytesMax)
	r := do(t, face, "POST", styleA, `{"topic":"orders","body":"`+body+`","property_list":[{"name":"a","value":"`+strings.Repeat("x", propertiesBytesMax-1)+`"}]}`)
	r.wantStatus(t, "largest message", 200)
	if r.body["body"] != body {
		t.Error("the body did not come back")
	}
	do(t, face, "POST", styleA, `{"topic":"orders","body":"`+strings.Repeat(`\n`, messageBytesMax)+`"}`).wantStatus(t, "all escaped", 200)
}

func TestSendReply(t *testing.T) {
	face, recorder := newFace(t)
	f := func(request, want string) {
		t.Helper()
		r := do(t, face, "POST", styleB, request)
		r.wantStatus(t, request, 200)
		id, _ := r.body["msg_id"].(string)
		want = strings.ReplaceAll(want, "ID", id)
		if len(id) != 32 || id != strings.ToUpper(id) || string(r.raw) != want {
			t.Errorf("%s:\n got %s\nwant %s", request, r.raw, want)
		}
	}
	f(`{"topic":"orders","body":"m"}`,
		`{"topic":"orders","body":"m","property_list":[{"name":"UNIQ_KEY","value":"ID"}],"msg_id":"ID","queue_id":0,"queue_offset":0,"broker_name":"broker-0"}`)
	f(`{"topic":"orders","body":"\"\u00e9\/<b>","property_list":[]}`,
		`{"topic":"orders","body":"\"\u00e9\/<b>","property_list":[{"name":"UNIQ_KEY","value":"ID"}],"msg_id":"ID","queue_id":0,"queue_offset":1,"broker_name":"broker-0"}`)
	// The last of what repeats counts, a property without a name is passed over, and so is an id of old.
	f(`{"property_list":[{"name":"old"}],"body":"x","topic":"absent","property_list":[{"value":"v","name":"n","x":1},{"name":"KEYS","value":"a"},{"name":"TAGS","value":"t"},`+
		`{"value":"nameless"},{},{"name":"UNIQ_KEY","value":"old"},{"name":"empty"},{"name":"K\u0045YS","value":"b \"c\""}],"topic":"orders","body":"last"}`,
		`{"topic":"orders","body":"last","property_list":[{"name":"n","value":"v"},{"name":"KEYS","value":"a"},{"name":"TAGS","value":"t"},{"name":"empty","value":""},`+
			`{"name":"K\u0045YS","value":"b \"c\""},{"name":"UNIQ_KEY","value":"ID"}],"msg_id":"ID","queue_id":0,"queue_offset":2,"broker_name":"broker-0"}`)
	face.engine.Close()
	want := "topic: orders\nbody: \"last\"\ntag: \"t\"\nkeys: \"b \\\"c\\\"\"\nattribute: \"n\" \"String\" \"v\"\nattribute: \"KEYS\" \"String\" \"a\"\n" +
		"attribute: \"TAGS\" \"String\" \"t\"\nattribute: \"empty\" \"String\" \"\"\nattribute: \"KEYS\" \"String\" \"b \\\"c\\\"\"\n"
	if got := recorder.Messages(); len(got) != 3 || got[2] != want {
		t.Errorf("got %s", got)
	}
}

// parse runs a body through the parser of a send.
func parse(body []byte) (s sending, m *engine.Message, echo []byte, fault *apigw.Error) {
	if fault := s.scan(body); fault != nil {
		return s, nil, nil, fault
	}
	m = engine.NewMessage()
	if appendText(m, engine.FieldBody, s.body.text) > messageBytesMax {
		fault = errBodySize
	} else {
		echo, fault = s.fillProperties(m, nil)
	}
	return s, m, echo, fault
}

// oracle reads a send with encoding/json. It knows nothing of the scanner.
func oracle(text []byte) (topic, body string, properties []string, fault *apigw.Error) {
	var o map[string]any
	if len(text) == 0 {
		return "", "", nil, errEmpty
	}
	if !utf8.Valid(text) || json.Unmarshal(text, &o) != nil || o == nil {
		return "", "", nil, errNotJSON
	}
	topic, _ = o["topic"].(string)
	body, _ = o["body"].(string)
	list, ok := o["property_list"].([]any)
	switch {
	case topic == "":
		return "", "", nil, errTopicField
	case body == "":
		return "", "", nil, errBody
	case o["property_list"] != nil && !ok:
		return "", "", nil, errProperties
	}
	for _, item := range list {
		object, ok := item.(map[string]any)
		name, nameOK := object["name"].(string)
		value, valueOK := object["value"].(string)
		if !ok || object["name"] != nil && !nameOK || object["value"] != nil && !valueOK {
			return "", "", nil, errProperties
		}
		if name != "" && name != propertyID {
			properties = append(properties, name, value)
		}
	}
	return topic, body, properties, nil
}

func FuzzDMSSend(f *testing.F) {
	for _, seed := range []string{
		`{"topic":"orders","body":"order 42 paid","property_list":[{"name":"KEYS","value":"o-42"},{"name":"TAGS","value":"paid"}]}`,
		`{"topic":"orders","body":"\ud800\u00e9","property_list":[{"name":"UNIQ_KEY","value":"x"},{"value":"y"},{}]}`,
		`{"topic":"a","topic":"b","body":"m","property_list":null}`, `{"topic":1}`, `[]`, ``, `{"topic":"a","body":"m","property_list":[{"name":"a","name":null}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		topic, body, properties, wantFault := oracle(text)
		s, m, echo, fault := parse(text)
		if m != nil {
			defer m.Release()
		}
		if fault == errNotJSON && wantFault != errNotJSON && deep(text) {
			return
		}
		if fault != wantFault && fault != errPropertySize {
			t.Fatalf("%q: got %v, want %v", text, fault, wantFault)
		}
		if fault != nil {
			return
		}
		var got []string
		for it := m.Attributes(); it.Next(); {
			got = append(got, string(it.Name), string(it.Value))
		}
		if name := jsontext.AppendUnescaped(nil, s.topic.text); string(name) != topic || string(m.Body()) != body || !slices.Equal(got, properties) {
			t.Fatalf("%q: got %q, %q, %q", text, name, m.Body(), got)
		}
		if !json.Valid(fmt.Appendf(nil, "[%s]", echo)) {
			t.Fatalf("%q: echo %q", text, echo)
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

func BenchmarkSendParse(b *testing.B) {
	body := []byte(`{"topic":"orders","body":"` + strings.Repeat("x", 1024) + `","property_list":[{"name":"KEYS","value":"o-42"},{"name":"TAGS","value":"paid"}]}`)
	var echo []byte
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		var s sending
		if fault := s.scan(body); fault != nil {
			b.Fatal(fault)
		}
		m := engine.NewMessage()
		appendText(m, engine.FieldBody, s.body.text)
		echo, _ = s.fillProperties(m, echo[:0])
		m.Release()
	}
	if !bytes.Contains(echo, []byte("KEYS")) {
		b.Fatal("no echo")
	}
}
