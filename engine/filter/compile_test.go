package filter

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestCompileErrors(t *testing.T) {
	for _, c := range []struct{ scopes, policy, want string }{
		{"ab", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`, "FilterPolicy: Filter policy can not have more than 5 keys"},
		{"ab", tooMany(151), "FilterPolicy: Filter policy is too complex"},
		{"ab", tooMany(13, 12), "FilterPolicy: Filter policy is too complex"},
		{"b", `{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]},"f":["1","2","3"]}`, "FilterPolicy: Filter policy is too complex"},
		{"b", strings.Repeat(`{"a":`, 200) + `["x"]` + strings.Repeat(`}`, 200), "FilterPolicy: Filter policy is too complex"},
		{"a", `{"a":{"b":["c"]}}`, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"a", `{"$or":[{"a":{"b":["c"]}},{"a":["b"]}]}`, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"ab", `{"a":"b"}`, `FilterPolicy: "a" must be an object or an array`},
		{"ab", `{"a":1}`, `FilterPolicy: "a" must be an object or an array`},
		{"b", `{"a":{"b":null}}`, `FilterPolicy: "b" must be an object or an array`},
		{"ab", `{"a":[]}`, "FilterPolicy: Empty arrays are not allowed"},
		{"b", `{"a":{}}`, "FilterPolicy: Empty objects are not allowed"},
		{"ab", `{"a":[["b"]]}`, "FilterPolicy: Match value must be String, number, true, false, or null"},
		{"ab", `{"a":[{"wildcard":"b*"}]}`, "FilterPolicy: Unrecognized match type wildcard"},
		{"ab", `{"a":[{"ip-address":"10.0.0.0/8"}]}`, "FilterPolicy: Unrecognized match type ip-address"},
		{"ab", `{"a":[{"prefix":"a","suffix":"b"}]}`, "FilterPolicy: Only one key allowed in match expression"},
		{"ab", `{"a":[{}]}`, "FilterPolicy: Match expression name not found"},
		{"ab", `{"a":[{"prefix":1}]}`, "FilterPolicy: prefix match pattern must be a string"},
		{"ab", `{"a":[{"suffix":["x"]}]}`, "FilterPolicy: suffix match pattern must be a string"},
		{"ab", `{"a":[{"equals-ignore-case":true}]}`, "FilterPolicy: equals-ignore-case match pattern must be a string"},
		{"ab", `{"a":[{"cidr":1}]}`, "FilterPolicy: prefix match pattern must be a string"},
		{"ab", `{"a":[{"cidr":"10.0.0.0"}]}`, "FilterPolicy: Malformed CIDR, one '/' required"},
		{"ab", `{"a":[{"cidr":"10.0.0.0/8/8"}]}`, "FilterPolicy: Malformed CIDR, one '/' required"},
		{"ab", `{"a":[{"cidr":"10.0.0.0/x"}]}`, "FilterPolicy: Malformed CIDR, mask bits must be an integer"},
		{"ab", `{"a":[{"cidr":"10.0.0.0/-1"}]}`, "FilterPolicy: Malformed CIDR, mask bits must not be negative"},
		{"ab", `{"a":[{"cidr":"10.0.0.256/8"}]}`, "FilterPolicy: Nonstandard IP address: 10.0.0.256"},
		{"ab", `{"a":[{"cidr":"10.0.0.0/33"}]}`, "FilterPolicy: IPv4 mask bits must be < 33"},
		{"ab", `{"a":[{"cidr":"::/129"}]}`, "FilterPolicy: IPv6 mask bits must be < 129"},
		{"ab", `{"a":[{"exists":"true"}]}`, "FilterPolicy: exists match pattern must be either true or false."},
		{"ab", `{"a":[{"anything-but":{"suffix":"x"}}]}`, "FilterPolicy: Unsupported anything-but pattern: suffix"},
		{"ab", `{"a":[{"anything-but":{"prefix":1}}]}`, "FilterPolicy: prefix match pattern must be a string"},
		{"ab", `{"a":[{"anything-but":{"prefix":""}}]}`, "FilterPolicy: Null prefix/suffix not allowed"},
		{"ab", `{"a":[{"anything-but":{"prefix":"x","y":1}}]}`, "FilterPolicy: Only one key allowed in match expression"},
		{"ab", `{"a":[{"anything-but":{}}]}`, "FilterPolicy: Anything-But expression name not found"},
		{"ab", `{"a":[{"anything-but":true}]}`, "FilterPolicy: Value of anything-but must be an array or single string/number value."},
		{"ab", `{"a":[{"anything-but":["x",null]}]}`, "FilterPolicy: Inside anything but list, start|null|boolean is not supported."},
		{"ab", `{"a":[{"anything-but":["x",1]}]}`, "FilterPolicy: Inside anything but list, either all values are number or string, mixed type is not supported"},
		{"ab", `{"a":[{"anything-but":[]}]}`, "FilterPolicy: Inside anything but list, either all values are number or string, mixed type is not supported"},
		{"ab", `{"a":[{"numeric":1}]}`, "FilterPolicy: Value of numeric must be an array."},
		{"ab", `{"a":[{"numeric":[]}]}`, "FilterPolicy: Invalid member in numeric match: ]"},
		{"ab", `{"a":[{"numeric":[1]}]}`, "FilterPolicy: Invalid member in numeric match: 1"},
		{"ab", `{"a":[{"numeric":[{}]}]}`, "FilterPolicy: Invalid member in numeric match: {"},
		{"ab", `{"a":[{"numeric":["==",1]}]}`, "FilterPolicy: Unrecognized numeric range operator: =="},
		{"ab", `{"a":[{"numeric":[">"]}]}`, "FilterPolicy: Value of > must be numeric"},
		{"ab", `{"a":[{"numeric":["=","1"]}]}`, "FilterPolicy: Value of equals must be numeric"},
		{"ab", `{"a":[{"numeric":["=",1,"<",2]}]}`, "FilterPolicy: Too many elements in numeric expression"},
		{"ab", `{"a":[{"numeric":["<",1,">",0]}]}`, "FilterPolicy: Too many elements in numeric expression"},
		{"ab", `{"a":[{"numeric":["<=",1,2]}]}`, "FilterPolicy: Too many elements in numeric expression"},
		{"ab", `{"a":[{"numeric":[">",1,2]}]}`, "FilterPolicy: Bad value in numeric range: 2"},
		{"ab", `{"a":[{"numeric":[">",1,">",2]}]}`, "FilterPolicy: Bad numeric range operator: >"},
		{"ab", `{"a":[{"numeric":[">",1,"=",2]}]}`, "FilterPolicy: Bad numeric range operator: ="},
		{"ab", `{"a":[{"numeric":[">",1,"<=","2"]}]}`, "FilterPolicy: Value of <= must be numeric"},
		{"ab", `{"a":[{"numeric":[">",1,"<="]}]}`, "FilterPolicy: Value of <= must be numeric"},
		{"ab", `{"a":[{"numeric":[">",1,"<",1.0]}]}`, "FilterPolicy: Bottom must be less than top"},
		{"ab", `{"a":[{"numeric":[">",1,"<",2,"<",3]}]}`, "FilterPolicy: Too many terms in numeric range expression"},
		{"ab", `{"$or":{"a":["b"]}}`, "FilterPolicy: It must be an Array followed with $or."},
		{"ab", `{"$or":[{"a":["b"]}]}`, "FilterPolicy: There must have at least 2 Objects in $or relationship."},
		{"ab", `{"$or":[{"a":["b"]},"c"]}`, "FilterPolicy: Only JSON object is allowed in array of $or relationship."},
		{"ab", `{"$or":[{"a":["b"]},{}]}`, "FilterPolicy: Empty objects are not allowed"},
		{"ab", `["a"]`, "FilterPolicy: Filter is not an object"},
		{"ab", ``, "FilterPolicy: failed to parse JSON. unexpected end of JSON input\n at [Source: REDACTED; line: 1, column: 1]"},
		{"ab", "{\n \"a\":x}", "FilterPolicy: failed to parse JSON. invalid character 'x' looking for beginning of value\n at [Source: REDACTED; line: 2, column: 6]"},
		{"ab", `{"a":["b"]}{}`, "FilterPolicy: failed to parse JSON. invalid character '{' after top-level value\n at [Source: REDACTED; line: 1, column: 12]"},
		{"ab", `{"a":["` + strings.Repeat("x", PolicyBytesMax) + `"]}`, "FilterPolicy: Filter policy can not be longer than 262144 bytes"},
		// The structure is looked at before the values.
		{"ab", `{"a":[{"wildcard":"b*"}],"b":1}`, `FilterPolicy: "b" must be an object or an array`},
		{"ab", tooMany(150) + ` `, ""},
		{"b", `{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]}}`, ""}, // 72
		{"ab", tooMany(15, 10), ""},
		{"ab", manyAlternatives(75, 2), ""},
		{"ab", manyAlternatives(76, 2), "FilterPolicy: Filter policy is too complex"},
		{"ab", manyKeys(fieldsMax), ""},
		{"ab", manyKeys(fieldsMax + 1), "FilterPolicy: Filter policy is too complex"},
	} {
		for _, letter := range c.scopes {
			scope := map[rune]Scope{'a': MessageAttributes, 'b': MessageBody}[letter]
			p, err := Compile([]byte(c.policy), scope)
			if c.want == "" {
				if err != nil || p.Scope() != scope {
					t.Errorf("%s %.200s: %v", scope, c.policy, err)
				}
			} else if err == nil || err.Error() != c.want || !errors.Is(err, ErrPolicy) || p != nil {
				t.Errorf("%s %.200s: got %v, want %s", scope, c.policy, err, c.want)
			}
		}
	}
}

// tooMany is a policy with keys of so many values.
func tooMany(values ...int) string {
	var keys []string
	for i, n := range values {
		keys = append(keys, fmt.Sprintf(`"k%d":[%s"x"]`, i, strings.Repeat(`"x",`, n-1)))
	}
	return "{" + strings.Join(keys, ",") + "}"
}

// manyAlternatives is a policy with one choice.
func manyAlternatives(n, values int) string {
	return `{"$or":[` + strings.Repeat(tooMany(values)+",", n-1) + tooMany(values) + `]}`
}

// manyKeys is a policy of so many keys of one value, in two alternatives.
func manyKeys(n int) string {
	ones := make([]int, n-1)
	for i := range ones {
		ones[i] = 1
	}
	return `{"$or":[{"x":["y"]},` + tooMany(ones...) + `]}`
}

func TestParseScope(t *testing.T) {
	for _, s := range []Scope{MessageAttributes, MessageBody} {
		if got, ok := ParseScope(s.String()); got != s || !ok {
			t.Errorf("%v: got %v, %v", s, got, ok)
		}
	}
	for _, name := range []string{"", "messagebody", "Body"} {
		if _, ok := ParseScope(name); ok {
			t.Errorf("%q is a scope", name)
		}
	}
}
