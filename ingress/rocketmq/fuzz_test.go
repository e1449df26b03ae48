package rocketmq

import (
	"bytes"
	"encoding/xml"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"fanfare/engine"
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
		if s := e.XMLName.Space; s == "" || strings.TrimSuffix(s, "/") == "http://mq.aliyuncs.com/doc/v1" {
			if len(e.Inside) > 0 {
				t.Errorf("elements inside of %s were accepted", e.XMLName.Local)
			}
			found = append(found, e.Text)
		}
	}
	switch len(found) {
	case 0:
		return ""
	case 1:
		return found[0]
	}
	// Empty ones count as none.
	if joined := strings.Join(found, ""); joined == found[0] || joined == found[len(found)-1] {
		return joined
	}
	t.Errorf("more than one was accepted: %q", found)
	return ""
}

// FuzzSend asks the parser and encoding/xml the same.
func FuzzSend(f *testing.F) {
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
	f.Add([]byte(`<a:Message xmlns:a="http://mq.aliyuncs.com/doc/v1"><a:MessageBody>x</a:MessageBody><MessageTag>t</MessageTag><a:Properties>a:b||c:d|KEYS:k|__TransCheckT:10|</a:Properties></a:Message>`))
	face := New(nil, Options{})
	f.Fuzz(func(t *testing.T, body []byte) {
		m := engine.NewMessage()
		defer m.Release()
		var special properties
		if fault := face.parse(m, body, &special); fault != nil {
			if fault.Status < 400 || fault.Code == "" {
				t.Errorf("%q: %+v", body, fault)
			}
			return
		}
		var oracle struct {
			XMLName    xml.Name     `xml:"Message"`
			Body       []oracleText `xml:"MessageBody"`
			Tag        []oracleText `xml:"MessageTag"`
			Properties []oracleText `xml:"Properties"`
		}
		if err := xml.Unmarshal(body, &oracle); err != nil {
			if strings.Contains(err.Error(), "name") {
				return // the tables of names are those of an older edition
			}
			t.Fatalf("%q: encoding/xml: %v", body, err)
		}
		if got, want := string(m.Body()), oracleOne(t, oracle.Body); got != want {
			t.Errorf("%q: body %q, encoding/xml has %q", body, got, want)
		}
		if got, want := string(m.Tag()), oracleOne(t, oracle.Tag); got != want {
			t.Errorf("%q: tag %q, encoding/xml has %q", body, got, want)
		}
		var want, got []string
		for item := range strings.SplitSeq(oracleOne(t, oracle.Properties), "|") {
			if key, value, _ := strings.Cut(item, ":"); value != "" {
				want = append(want, key+":"+value)
			}
		}
		for it := m.Attributes(); it.Next(); {
			got = append(got, string(it.Name)+":"+string(it.Value))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: properties (-encoding/xml +parser):\n%s", body, diff)
		}
	})
}

// FuzzHandle checks that a handle is read back as it was printed, and that nothing else panics.
func FuzzHandle(f *testing.F) {
	f.Add(int64(1700000000000), uint64(42), "H-0000018bcfe56800000000000000002a")
	f.Add(int64(-1), ^uint64(0), "H-")
	f.Fuzz(func(t *testing.T, due int64, id uint64, s string) {
		k := engine.TimerKey{Due: due, ID: id}
		if got, ok := parseHandle(string(appendHandle(nil, k))); !ok || got != k {
			t.Errorf("%+v came back as %+v, %v", k, got, ok)
		}
		if k, ok := parseHandle(s); ok && !strings.EqualFold(string(appendHandle(nil, k)), s) {
			t.Errorf("%q was read as %+v", s, k)
		}
	})
}
