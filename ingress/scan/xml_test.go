package scan

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// xmlTokens renders a document as the scanner sees it: one string for each tag and each run of text.
func xmlTokens(text []byte) ([]string, error) {
	var s XML
	var tokens []string
	var run []byte
	flush := func() {
		if len(run) > 0 {
			tokens = append(tokens, fmt.Sprintf("%q", run))
		}
		run = run[:0]
	}
	for s.Reset(text); ; {
		switch s.Next() {
		case XMLOpen:
			flush()
			tokens = append(tokens, "<"+string(s.Prefix())+"|"+string(s.Local())+">")
		case XMLClose:
			flush()
			tokens = append(tokens, "</"+string(s.Prefix())+"|"+string(s.Local())+">")
		case XMLText:
			run = s.AppendText(run)
		case XMLEnd:
			return tokens, nil
		default:
			return tokens, s.Err()
		}
	}
}

func TestXMLTokens(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		got, err := xmlTokens([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	f(`<a/>`, "<|a>", "</|a>")
	f(`<a></a >`, "<|a>", "</|a>")
	f(`<a b="1" c='"'/>`, "<|a>", "</|a>")
	f(`<?xml version="1.0" encoding="UTF-8" standalone='yes'?>`+"\n<a/>\n", "<|a>", "</|a>")
	f(`<?xml version='1.0' encoding='utf-8' ?><a/>`, "<|a>", "</|a>")
	f("\ufeff<?xml version=\"1.0\"?><a/>", "<|a>", "</|a>")
	f("\ufeff<a/>", "<|a>", "</|a>")
	f(`<?xml-stylesheet href="x"?><a/>`, "<|a>", "</|a>")
	f(`<!-- x --><a><!-- <b> & --><?php x ?></a><!----><?y?>`, "<|a>", "</|a>")
	f(`<a> x <b/>y</a>`, "<|a>", `" x "`, "<|b>", "</|b>", `"y"`, "</|a>")
	f(`<a>1<!-- -->2<![CDATA[3]]>4</a>`, "<|a>", `"1234"`, "</|a>")
	f(`<a><![CDATA[<b>&amp;]]]]><![CDATA[>]]></a>`, "<|a>", `"<b>&amp;]]>"`, "</|a>")
	f(`<a>&lt;&gt;&amp;&quot;&apos;&#65;&#x42;&#x1F600;&#0000000000000000000009;</a>`, "<|a>", `"<>&\"'AB😀\t"`, "</|a>")
	f("<a>1\r\n2\r3\n4&#13;5<![CDATA[\r\n\r]]></a>", "<|a>", `"1\n2\n3\n4\r5\n\n"`, "</|a>")
	f(`<m:a xmlns:m="x"><m:b/></m:a>`, "<m|a>", "<m|b>", "</m|b>", "</m|a>")
	f(`<é·/>`, "<|é·>", "</|é·>")
	f(strings.Repeat("<a>", XMLDepthMax)+strings.Repeat("</a>", XMLDepthMax),
		append(slicesRepeat("<|a>", XMLDepthMax), slicesRepeat("</|a>", XMLDepthMax)...)...)
}

func slicesRepeat(s string, n int) []string {
	var all []string
	for range n {
		all = append(all, s)
	}
	return all
}

func TestXMLFaults(t *testing.T) {
	f := func(text string, want error) {
		t.Helper()
		if _, err := xmlTokens([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.80q: %v, want %v", text, err, want)
		}
	}
	// Not well-formed, or cut off.
	for _, text := range []string{
		``, ` `, `x`, `<`, `<a`, `<a `, `<a b`, `<a b=`, `<a b="`, `<a b=""`, `<a>`, `<a/`, `<a></`, `<a></a`, `<a>x`,
		`</a>`, `<a></b>`, `<a><b></a></b>`, `<a/><b/>`, `<a/>x`, `x<a/>`, `< a/>`, `<a></ a>`, `<1/>`, `<a:b:c/>`, `<a b=1/>`, `<a b/>`,
		`<a b="<"/>`, `<a b="&x;"/>`, `<a b="1" b="2"/>`, `<a/ >`, `<a></a x="1">`,
		`<a>&</a>`, `<a>&amp</a>`, `<a>&;</a>`, `<a>&x;</a>`, `<a>&AMP;</a>`, `<a>&#;</a>`, `<a>&#x;</a>`, `<a>&#X41;</a>`, `<a>&#1114112;</a>`,
		`<a>&#99999999999999999999999;</a>`, `<a>&#6`, `<a>&#`, `<a>&#-1;</a>`, `<a>]]></a>`,
		`<!-- -- --><a/>`, `<!-- --`, `<!-- ->`, `<!->`, `<!`, `<![`, `<a><![CDATA[x]]</a>`, `<a><![cdata[x]]></a>`, `<![CDATA[ ]]><a/>`,
		`<?`, `<??><a/>`, `<?x`, `<?x ?`, ` <?xml version="1.0"?><a/>`, `<a/><?xml version="1.0"?>`, `<?xml version="1.1"?><a/>`,
		`<?xml version=1.0?><a/>`, `<?xml version="1.0" x="y"?><a/>`, `<?xml version="1.0"`, `<a×/>`,
	} {
		f(text, ErrXMLSyntax)
	}
	// Document types, entity bombs, external entities: refused where they begin.
	for _, text := range []string{
		`<!DOCTYPE a><a/>`,
		`<!DOCTYPE`,
		`<!doctype a><a/>`,
		`<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>`,
		`<!DOCTYPE a [<!ENTITY l0 "lol"><!ENTITY l1 "&l0;&l0;&l0;"><!ENTITY l2 "&l1;&l1;&l1;">]><a>&l2;</a>`,
		`<a><!ELEMENT b ANY></a>`,
		`<!ENTITY x "y"><a/>`,
	} {
		f(text, ErrXMLDoctype)
	}
	for _, text := range []string{
		"<a>\xff</a>", "<a>\xc0\x80</a>", "<a>\xed\xa0\x80</a>", "<\xff/>", "<a>1234567\xe9</a>", "\xfe\xff\x00<\x00a\x00/\x00>", "\xff\xfe<\x00a\x00/\x00>\x00",
		`<?xml version="1.0" encoding="ISO-8859-1"?><a/>`, `<?xml version="1.0" encoding="utf-16"?><a/>`, `<?xml version="1.0" encoding=""?><a/>`,
	} {
		f(text, ErrXMLEncoding)
	}
	for _, text := range []string{
		"<a>\x00</a>", "<a>\x0b</a>", "<a>1234567890\x1f</a>", "<a>&#0;</a>", "<a>&#x1;</a>", "<a>&#xD800;</a>", "<a>&#xFFFE;</a>",
		"<a>\uffff</a>", "<a>\ufffe</a>", `<a b="&#8;"/>`, "<!-- \x01 --><a/>",
	} {
		f(text, ErrXMLCharacter)
	}
	f(strings.Repeat("<a>", XMLDepthMax+1), ErrXMLLimit)
	f(strings.Repeat("<a>", 1_000_000), ErrXMLLimit)
	f(strings.Repeat("<a>", XMLDepthMax)+"<b/>", ErrXMLLimit)
	var many strings.Builder
	for i := range XMLAttributesMax + 1 {
		fmt.Fprintf(&many, " a%d=''", i)
	}
	f("<a"+many.String()+"/>", ErrXMLLimit)
}

// TestXMLTruncated cuts a document at every byte: no part of it is a document.
func TestXMLTruncated(t *testing.T) {
	const whole = `<?xml version="1.0"?><m:a xmlns:m="u" b='&lt;'><!-- c --><b>t&amp;<![CDATA[d]]></b><c/></m:a>`
	for i := range len(whole) {
		if tokens, err := xmlTokens([]byte(whole[:i])); err == nil {
			t.Errorf("%q is taken for a document: %q", whole[:i], tokens)
		}
	}
	if _, err := xmlTokens([]byte(whole)); err != nil {
		t.Error(err)
	}
}

func TestXMLDeclared(t *testing.T) {
	f := func(text, prefix, want string, wantOK bool) {
		t.Helper()
		var s XML
		s.Reset([]byte(text))
		s.Next()
		got, ok := XMLDeclared(s.Attributes(), []byte(prefix), nil)
		if string(got) != want || ok != wantOK {
			t.Errorf("%s, prefix %q: %q, %v", text, prefix, got, ok)
		}
	}
	f(`<a/>`, "", "", false)
	f(`<a xmlns="u"/>`, "", "u", true)
	f(`<a xmlns=""/>`, "", "", true)
	f(`<a x="1" xmlns='u'/>`, "", "u", true)
	f(`<a xmlns="u&amp;v&#47;"/>`, "", "u&v/", true)
	f(`<m:a xmlns="u" xmlns:m="v"/>`, "m", "v", true)
	f(`<m:a xmlns="u"/>`, "m", "", false)
	f(`<m:a xmlns:m="v"/>`, "", "", false)
}

func TestXMLElement(t *testing.T) {
	var s XML
	s.Reset([]byte(`<a>x&amp;<!-- --><![CDATA[<]]></a>`))
	s.Next()
	if got, err := s.AppendElement(nil); string(got) != "x&<" || err != nil || s.Next() != XMLEnd {
		t.Errorf("%q, %v", got, err)
	}
	s.Reset([]byte(`<a>x<b/></a>`))
	s.Next()
	if _, err := s.AppendElement(nil); !errors.Is(err, ErrXMLElement) {
		t.Error(err)
	}
	s.Reset([]byte(`<a><b>1<c/></b><d/></a>`))
	s.Next()
	s.Next()
	if err := s.Skip(); err != nil || s.Next() != XMLOpen || string(s.Local()) != "d" {
		t.Errorf("%v, %s", err, s.Local())
	}
	s.Reset([]byte(`<a><b>1<c/>`))
	s.Next()
	if err := s.Skip(); !errors.Is(err, ErrXMLSyntax) {
		t.Error(err)
	}
}

func TestXMLEscaped(t *testing.T) {
	f := func(text, want string) {
		t.Helper()
		if got := AppendXMLEscaped([]byte("x"), []byte(text)); string(got) != "x"+want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	f("", "")
	f("plain \"quoted\" 'text'\t\n", "plain \"quoted\" 'text'\t\n")
	f("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d")
	f("grüße ✓ 😀", "grüße ✓ 😀")
	f("\r\n", "&#13;\n")
	f("\x00\x1f\uffff\ufffe\xff\xc0", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd")
	f("]]>", "]]&gt;")
}

// xmlDeclarationForm is the declaration where encoding/xml, which only searches it, and the scanner, which
// reads it, must agree.
var xmlDeclarationForm = regexp.MustCompile(`^<\?xml[ \t\r\n]+version="1\.0"([ \t\r\n]+encoding="(?i:utf-8)")?[ \t\r\n]*\?>`)

// xmlOracle is encoding/xml's view of a document, in the form of xmlTokens. open means that encoding/xml does
// not define the answer, or is known to be laxer than XML.
func xmlOracle(text []byte) (tokens []string, ok, open bool) {
	bare := bytes.TrimPrefix(text, []byte("\ufeff"))
	if bytes.HasPrefix(bare, []byte("<?xml")) {
		decl := xmlDeclarationForm.Find(bare)
		if decl == nil {
			return nil, false, true
		}
		bare = bare[len(decl):]
	}
	d := xml.NewDecoder(bytes.NewReader(bare))
	depth, roots := 0, 0
	var stack []string
	var run []byte
	flush := func() {
		if len(run) > 0 {
			tokens = append(tokens, fmt.Sprintf("%q", run))
		}
		run = run[:0]
	}
	for {
		token, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return tokens, depth == 0 && roots == 1, open
		}
		if err != nil {
			if strings.Contains(err.Error(), "name") && bytes.ContainsFunc(text, func(r rune) bool { return r >= utf8.RuneSelf }) {
				open = true // the tables of names are those of an older edition
			}
			return tokens, false, open
		}
		switch token := token.(type) {
		case xml.StartElement:
			flush()
			if depth == 0 {
				roots++
			}
			depth++
			tokens = append(tokens, "<"+token.Name.Space+"|"+token.Name.Local+">")
			stack = append(stack, token.Name.Space+"|"+token.Name.Local)
			seen := map[xml.Name]bool{}
			for _, a := range token.Attr {
				open = open || seen[a.Name] || strings.ContainsRune(a.Value, utf8.RuneError)
				seen[a.Name] = true
			}
			open = open || depth > XMLDepthMax || len(token.Attr) > XMLAttributesMax
		case xml.EndElement:
			flush()
			name := token.Name.Space + "|" + token.Name.Local
			if depth == 0 || stack[depth-1] != name {
				return tokens, false, open
			}
			depth--
			stack = stack[:depth]
			tokens = append(tokens, "</"+name+">")
		case xml.CharData:
			if depth > 0 {
				run = append(run, token...)
				open = open || bytes.ContainsRune(token, utf8.RuneError) // it may stand for a surrogate
			} else if len(bytes.Trim(token, " \t\r\n")) > 0 {
				return tokens, false, open
			} else if bytes.Contains(text, []byte("<![CDATA[")) || bytes.ContainsRune(text, '&') {
				open = true
			}
		case xml.Directive:
			return tokens, false, open
		case xml.ProcInst:
			open = open || token.Target == "xml" || !validXML(token.Inst)
		case xml.Comment:
			open = open || !validXML(token)
		}
	}
}

// validXML reports whether XML allows the characters, which encoding/xml does not ask inside of comments and instructions.
func validXML(text []byte) bool { return xmlCharacters(text) == nil }

// FuzzXML asks the scanner and encoding/xml the same.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{
		`<Message><MessageBody>hello &lt;topic&gt;</MessageBody><MessageTag>t1</MessageTag></Message>`,
		`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>ping</MessageBody></Message>`,
		`<?xml version="1.0" encoding="UTF-8"?><ReceiptHandles xmlns="http://mq.aliyuncs.com/doc/v1/"><ReceiptHandle><![CDATA[zz]]></ReceiptHandle></ReceiptHandles>`,
		"\ufeff<a b='&#x41;'>\r\n]]&gt;<!-- - --><?p ?></a>",
		`<a><b/></a>x`, `<!DOCTYPE a><a/>`, `<a:b xmlns:a=""/>`, `<a>&#55296;</a>`, "<a>\x00</a>", `<a b="1"c="2"/>`, `<:a/>`, `<a:/>`, `<?xml?><a/>`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := xmlTokens(text)
		want, ok, open := xmlOracle(text)
		switch {
		case err == nil && ok:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-encoding/xml +scanner):\n%s", text, diff)
			}
		case open:
		case err == nil:
			t.Errorf("%q: encoding/xml refuses it", text)
		case ok:
			t.Errorf("%q: %v, but encoding/xml accepts it", text, err)
		}
	})
}

// FuzzXMLUnescaped compares text that is dense with references with the same text among much other.
func FuzzXMLUnescaped(f *testing.F) {
	for _, seed := range []string{"&#34;a&#34;:&#x22;", "&lt;&gt;&amp;&apos;&quot;", "&&&", "&#;&#x;&#1;&#55296;&#xFFFFFFFFF;", "\r\n&#13;\r&\r", "&#128512;&#x1F600;&#9;", "&#", "&l"} {
		f.Add([]byte(seed))
	}
	around := bytes.Repeat([]byte("x"), 64)
	f.Fuzz(func(t *testing.T, raw []byte) {
		dense := appendXMLDense(make([]byte, 1, 1+len(raw)), raw)[1:]
		long := bytes.Repeat(around, bytes.Count(raw, xmlReferenceStart)+1)
		got := AppendXMLUnescaped(nil, append(append(bytes.Clone(long), raw...), long...))
		if want := string(long) + string(dense) + string(long); string(got) != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	})
}

// FuzzXMLName compares the name of a tag with one that is read rune by rune.
func FuzzXMLName(f *testing.F) {
	for _, seed := range []string{"Message>", "Message xmlns", "a:b>", "a:b:c>", ":a>", "a-b.1>", "é>", "aé>", "a\xff>", "1a>", "", "a"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		want := xmlName(text, 0)
		if bytes.Count(text[:want], []byte(":")) > 1 {
			want = 0
		}
		if got := xmlTagName(text, 0); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	})
}

// What the usual declaration says in another spelling is the same.
func TestXMLUsualDeclaration(t *testing.T) {
	const usual, other = `<?xml version="1.0" encoding="UTF-8"?>`, `<?xml version='1.0' encoding='UTF-8'?>`
	for _, rest := range []string{"<a>b</a>", "", "x", other + "<a/>", "<!DOCTYPE a><a/>", "\n<?p?><a/>"} {
		got, gotErr := xmlTokens([]byte(usual + rest))
		want, wantErr := xmlTokens([]byte(other + rest))
		if diff := cmp.Diff(want, got); diff != "" || !errors.Is(gotErr, wantErr) {
			t.Errorf("%q: %v, %v (-other spelling +usual):\n%s", rest, gotErr, wantErr, diff)
		}
	}
}

// FuzzXMLText checks that escaped text is read back as it was, by the scanner and by encoding/xml.
func FuzzXMLText(f *testing.F) {
	for _, seed := range []string{"", "ping", `order #1 <ok> & "fine"`, "grüße ✓", "\r\n\r", "]]>", "\x00\xff\uffff", "&amp;&#1;&#xD800;"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		// What XML cannot say is replaced, rune by rune.
		var want []byte
		for rest := text; len(rest) > 0; {
			r, size := utf8.DecodeRune(rest)
			if !xmlIsChar(r) {
				r = utf8.RuneError
			}
			want, rest = utf8.AppendRune(want, r), rest[size:]
		}
		escaped := AppendXMLEscaped(nil, text)
		if got := AppendXMLUnescaped(nil, escaped); !bytes.Equal(got, want) {
			t.Errorf("%q: escaped %q, back %q", text, escaped, got)
		}
		document := "<a>" + string(escaped) + "</a>"
		var s XML
		s.Reset([]byte(document))
		s.Next()
		if got, err := s.AppendElement(nil); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", document, got, err)
		}
		var back string
		if err := xml.Unmarshal([]byte(document), &back); err != nil || back != string(want) {
			t.Errorf("%s: encoding/xml reads %q, %v", document, back, err)
		}
		AppendXMLUnescaped(nil, text) // whatever it is
	})
}

func BenchmarkXML(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 64 << 10} {
		text := []byte(`<?xml version="1.0" encoding="UTF-8"?><Message xmlns="http://mns.aliyuncs.com/doc/v1/"><MessageBody>` +
			strings.Repeat("x", size) + `</MessageBody><MessageTag>red</MessageTag></Message>`)
		b.Run(fmt.Sprintf("size=%dB", size), func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			var s XML
			dst := make([]byte, 0, 128<<10)
			for b.Loop() {
				s.Reset(text)
				for kind := s.Next(); kind != XMLEnd; kind = s.Next() {
					if kind == XMLText {
						dst = s.AppendText(dst[:0])
					}
				}
			}
		})
	}
}
