package conformance

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// same compares; the output says what differed: "-" is what was wanted, "+" is what came.
func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s differs (-want +got):\n%s", what, diff)
	}
}

// must ends the test at an error of an SDK.
func must(t testing.TB, what string, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// member is a member of a JSON object, or a child of an XML element, in a list that keeps their order.
type member struct{ Name, Value string }

// objectMembers reads a JSON object: strings as their text, everything else as JSON with sorted names.
func objectMembers(t testing.TB, body string) []member {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(body))
	token, err := d.Token()
	if err != nil || token != json.Delim('{') {
		t.Fatalf("not a JSON object (%v): %s", err, body)
	}
	var members []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		text, ok := value.(string)
		if !ok {
			text = canonical(t, value)
		}
		members = append(members, member{name.(string), text})
	}
	if _, err := d.Token(); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Fatalf("something follows the object: %s", body)
	}
	return members
}

func canonical(t testing.TB, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// elementMembers reads a flat XML document and returns the name of its root and its children.
func elementMembers(t testing.TB, body string) (root xml.Name, children []member) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	depth := 0
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root, children
		}
		if err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			switch depth++; depth {
			case 1:
				root = token.Name
			case 2:
				children = append(children, member{Name: token.Name.Local})
			default:
				t.Fatalf("element %s is nested: %s", token.Name.Local, body)
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			switch {
			case depth == 2:
				children[len(children)-1].Value += string(token)
			case strings.TrimSpace(string(token)) != "":
				t.Fatalf("text %q between the elements: %s", token, body)
			}
		}
	}
}

// value returns the value of the member of a name.
func value(t testing.TB, members []member, name string) string {
	t.Helper()
	i := slices.IndexFunc(members, func(m member) bool { return m.Name == name })
	if i < 0 {
		t.Fatalf("no member %q in %v", name, members)
	}
	return members[i].Value
}

// unsigned takes the members of a signature out. They must all be there, or none: pushes are signed or not.
func unsigned(t testing.TB, members []member, names ...string) []member {
	t.Helper()
	rest := slices.DeleteFunc(slices.Clone(members), func(m member) bool { return slices.Contains(names, m.Name) })
	if n := len(members) - len(rest); n != 0 && n != len(names) {
		t.Errorf("%d of the %d members of a signature are there: %v", n, len(names), members)
	}
	return rest
}

// matches compares with a regular expression that has to match all of the text.
func matches(t testing.TB, what, got, pattern string) {
	t.Helper()
	if !regexp.MustCompile(`^(?:` + pattern + `)$`).MatchString(got) {
		t.Errorf("%s is %q, want %s", what, got, pattern)
	}
}

// The forms of identifiers.
const (
	uuidForm     = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	hexForm      = `[0-9a-f]{32}`
	upperHexForm = `[0-9A-F]{32}`
)

// recent fails the test unless a time is of this minute or so.
func recent(t testing.TB, what, text, layout string) {
	t.Helper()
	at, err := time.Parse(layout, text)
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if age := time.Since(at); age < -5*time.Second || age > 5*time.Minute {
		t.Errorf("%s is %s, %v ago", what, text, age)
	}
}

// plainID brings the vendors' spellings of a message's id to one form: 32 lower-case hexadecimal digits.
func plainID(id string) string { return strings.ToLower(strings.ReplaceAll(id, "-", "")) }

// md5Upper is how SMQ and RocketMQ print the digest of a message's text.
func md5Upper(text string) string {
	sum := md5.Sum([]byte(text))
	return strings.ToUpper(hex.EncodeToString(sum[:]))
}

// md5Base64 is how SMQ states the digest of a push: base64 of the lower-case hexadecimal form.
func md5Base64(body string) string {
	sum := md5.Sum([]byte(body))
	return base64.StdEncoding.EncodeToString([]byte(hex.EncodeToString(sum[:])))
}

// queryOf returns one parameter of a URL.
func queryOf(t testing.TB, link, name string) string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get(name)
}

// plane0 is awkward without the character that the XML writer of ali-mns refuses to write.
var plane0 = strings.ReplaceAll(awkward, "😀", "")

// awkward is a text that an encoder may get wrong: markup, quotes, line breaks, other scripts, beyond the
// basic plane.
const awkward = "a <b> & \"c\" 'd' \\e/ =1+1 ~*()\tTab\nnext line, grüße ✓ 😀 %41"
