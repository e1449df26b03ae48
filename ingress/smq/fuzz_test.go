package smq

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/valyala/fasthttp"

	"fanfare/engine"
	"fanfare/ingress"
	"fanfare/ingress/aliyun"
)

type oracleText struct {
	XMLName xml.Name
	Text    string     `xml:",chardata"`
	Inside  []struct{} `xml:",any"`
}

// oracleOne is the text of the one element in the protocol's name space, or in none.
func oracleOne(t *testing.T, elements []oracleText) string {
	var found []string
	for _, e := range elements {
		if s := e.XMLName.Space; s == "" || strings.TrimSuffix(s, "/") == "http://mns.aliyuncs.com/doc/v1" {
			if len(e.Inside) > 0 {
				t.Errorf("elements inside of %s were accepted", e.XMLName.Local)
			}
			if e.Text != "" {
				found = append(found, e.Text)
			}
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return found[0]
	}
	t.Errorf("more than one was accepted: %q", found)
	return ""
}

func addBodies(f *testing.F) {
	files, err := filepath.Glob("testdata/wire/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		if _, body, ok := bytes.Cut(archive.Files[0].Data, []byte("\n\n")); ok {
			f.Add(body)
		}
	}
}

// FuzzPublish asks the parser and encoding/xml the same.
func FuzzPublish(f *testing.F) {
	addBodies(f)
	f.Add([]byte(`<a:Message xmlns:a="http://mns.aliyuncs.com/doc/v1"><a:MessageBody>x</a:MessageBody><MessageTag>t</MessageTag><b/></a:Message>`))
	face := New(nil, Options{MissingNamespace: NamespaceAccept})
	f.Fuzz(func(t *testing.T, body []byte) {
		m := engine.NewMessage()
		defer m.Release()
		if fault := face.parse(&aliyun.Exchange{}, m, body); fault != nil {
			if fault.Status < 400 || fault.Code == "" {
				t.Errorf("%q: %+v", body, fault)
			}
			return
		}
		var oracle struct {
			XMLName xml.Name     `xml:"Message"`
			Body    []oracleText `xml:"MessageBody"`
			Tag     []oracleText `xml:"MessageTag"`
			Group   []oracleText `xml:"MessageGroupId"`
		}
		if err := xml.Unmarshal(body, &oracle); err != nil {
			if strings.Contains(err.Error(), "name") {
				return // the tables of names are those of an older edition
			}
			t.Fatalf("%q: encoding/xml: %v", body, err)
		}
		for _, part := range []struct {
			name     string
			got      []byte
			elements []oracleText
		}{{"body", m.Body(), oracle.Body}, {"tag", m.Tag(), oracle.Tag}, {"group", m.Get(engine.FieldGroup), oracle.Group}} {
			if want := oracleOne(t, part.elements); string(part.got) != want {
				t.Errorf("%q: %s %q, encoding/xml has %q", body, part.name, part.got, want)
			}
		}
	})
}

// FuzzProperties asks about the properties, which have a level more.
func FuzzProperties(f *testing.F) {
	f.Add("k", "v & w", "STRING", false)
	f.Add("n", "42", "NUMBER", true)
	f.Add("b", "AP8=", "BINARY", false)
	f.Add("", "\x00", "DATE", false)
	face := New(nil, Options{MissingNamespace: NamespaceAccept})
	f.Fuzz(func(t *testing.T, name, value, valueType string, system bool) {
		type property struct{ Value, Name, Type string }
		var document struct {
			XMLName xml.Name   `xml:"Message"`
			User    []property `xml:"UserProperties>PropertyValue"`
			System  []property `xml:"SystemProperties>SystemPropertyValue"`
			Body    string     `xml:"MessageBody"`
		}
		document.Body = "x"
		p := property{value, name, valueType}
		if system {
			document.System = []property{p, p}
		} else {
			document.User = []property{p, p}
		}
		body, err := xml.Marshal(document)
		if err != nil {
			return
		}
		document.User, document.System = nil, nil
		if err := xml.Unmarshal(body, &document); err != nil {
			t.Fatal(err)
		}
		m := engine.NewMessage()
		defer m.Release()
		if face.parse(&aliyun.Exchange{}, m, body) != nil {
			switch valueType {
			case "STRING", "NUMBER", "BOOLEAN", "":
				if name != "" {
					t.Errorf("%s was refused", body)
				}
			}
			return
		}
		want := append(document.User, document.System...)[0] // xml.Marshal replaces what XML cannot say
		it := m.Attributes()
		for n := range 2 {
			if !it.Next() {
				t.Fatalf("%s: attribute %d is missing", body, n)
			}
			value := string(it.Value)
			if it.Binary {
				decoded, err := base64.StdEncoding.DecodeString(want.Value)
				if err != nil {
					t.Fatal(err)
				}
				want := want
				want.Value = string(decoded)
				if value != want.Value {
					t.Errorf("%s: %q", body, value)
				}
				continue
			}
			if string(it.Name) != want.Name || value != want.Value {
				t.Errorf("%s: %q is %q", body, it.Name, value)
			}
		}
	})
}

// FuzzControl sends documents to the operations that read one.
func FuzzControl(f *testing.F) {
	addBodies(f)
	face := New(nil, Options{MissingNamespace: NamespaceAccept})
	f.Fuzz(func(t *testing.T, body []byte) {
		var ctx fasthttp.RequestCtx
		ctx.Init(&fasthttp.Request{}, nil, nil)
		ctx.Request.SetBody(body)
		head := ingress.ParseHead(&ctx.Request.Header)
		x := face.dialect.Begin(&ctx, &head)
		if a, fault := face.parseTopic(&x); fault == nil && a.maximumMessageSize != nil && *a.maximumMessageSize > bodyBytesMax {
			t.Errorf("%q: %d", body, *a.maximumMessageSize)
		}
		if a, fault := face.parseSubscription(&x); fault == nil {
			config := a.config("s")
			if config.Envelope == "" || len(config.FilterTag) > engine.FilterTagBytesMax {
				t.Errorf("%q: %+v", body, config)
			}
		}
	})
}
