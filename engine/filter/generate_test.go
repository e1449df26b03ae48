package filter

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// generator makes policies, and messages that have a fair chance to match them, since both draw from few words.
type generator struct {
	*rand.Rand
	scope Scope
}

var (
	genNames   = []string{"a", "b", "a.b", "é\"", "a!"}
	genWords   = []string{"red", "Red", "redder", "blue", "true", "100", "1", "", "ré\"d", "😀red", "10.1.2.3", "10.1.255.0", "::1", "2001:db8::7", "K", "k", "\u212a"}
	genEnds    = []string{"r", "re", "red", "d", "ed", "b", "ré\"", "😀", "\"d", "1"}
	genNumbers = []string{"0", "-0.0", "1", "1.0", "10e-1", "100", "1e2", "1.00E+2", "-1", "2.5", "25e-1", "99.999999", "100.000001", "9007199254740993", "9007199254740992", "0.10", "1e-1"}
	genBlocks  = []string{"10.1.0.0/16", "10.1.2.0/25", "0.0.0.0/0", "10.1.2.3/32", "::/127", "2001:db8::/32", "::/0", "10.1.255.255/9"}
)

func (g *generator) pick(words []string) string { return words[g.IntN(len(words))] }

func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// policy is one that compiles, unless it is too complex.
func (g *generator) policy() string { return g.object(1+g.IntN(3)*g.IntN(2), 0) }

func (g *generator) object(keys, depth int) string {
	members := make([]string, 0, keys)
	for _, i := range g.Perm(len(genNames))[:keys] {
		switch n := g.IntN(10); {
		case n == 0 && depth < 3:
			members = append(members, fmt.Sprintf(`"$or":[%s,%s]`, g.object(1+g.IntN(2), depth+1), g.object(1+g.IntN(2), depth+1)))
		case n < 4 && depth < 3 && g.scope == MessageBody:
			members = append(members, quote(genNames[i])+":"+g.object(1+g.IntN(2), depth+1))
		default:
			members = append(members, quote(genNames[i])+":"+g.conditions())
		}
	}
	return "{" + strings.Join(members, ",") + "}"
}

func (g *generator) conditions() string {
	all := make([]string, 0, 4)
	for range 2 + g.IntN(4) {
		all = append(all, g.condition())
	}
	return "[" + strings.Join(all, ",") + "]"
}

func (g *generator) condition() string {
	switch g.IntN(12) {
	case 0, 1, 2:
		return quote(g.pick(genWords))
	case 3, 4:
		return g.pick(genNumbers)
	case 5:
		return g.pick([]string{"true", "false", "null"})
	case 6:
		return g.pick([]string{`{"exists":true}`, `{"exists":false}`})
	case 7:
		return fmt.Sprintf(`{%q:%s}`, g.pick([]string{"prefix", "suffix"}), quote(g.pick(genEnds)))
	case 8:
		return `{"equals-ignore-case":` + quote(g.pick(genWords)) + `}`
	case 9:
		return `{"cidr":` + quote(g.pick(genBlocks)) + `}`
	case 10:
		return g.numeric()
	default:
		return g.anythingBut()
	}
}

func (g *generator) numeric() string {
	n, m := g.pick(genNumbers), g.pick(genNumbers)
	if g.IntN(2) == 0 || rational(json.Number(n)).Cmp(rational(json.Number(m))) >= 0 {
		return fmt.Sprintf(`{"numeric":[%q,%s]}`, g.pick([]string{"=", "<", "<=", ">", ">="}), n)
	}
	return fmt.Sprintf(`{"numeric":[%q,%s,%q,%s]}`, g.pick([]string{">", ">="}), n, g.pick([]string{"<", "<="}), m)
}

func (g *generator) anythingBut() string {
	switch g.IntN(4) {
	case 0:
		return `{"anything-but":{"prefix":` + quote(g.pick(genEnds)) + `}}`
	case 1:
		return `{"anything-but":` + quote(g.pick(genWords)) + `}`
	case 2:
		return `{"anything-but":[` + g.pick(genNumbers) + `,` + g.pick(genNumbers) + `]}`
	default:
		return `{"anything-but":[` + quote(g.pick(genWords)) + `,` + quote(g.pick(genWords)) + `]}`
	}
}

// body is a JSON object, rarely something else.
func (g *generator) body() string {
	switch g.IntN(40) {
	case 0:
		return g.pick([]string{`[]`, `"a"`, `{`, ``, `null`, `{"a":1}}`, `{"a":01}`})
	case 1:
		text := g.message(0)
		return text[:g.IntN(len(text))]
	}
	return g.space() + g.message(0) + g.space()
}

func (g *generator) message(depth int) string {
	members := make([]string, 0, 4)
	for _, i := range g.Perm(len(genNames))[:1+g.IntN(5)] {
		members = append(members, g.space()+g.literal(genNames[i])+g.space()+":"+g.space()+g.value(depth))
	}
	return "{" + strings.Join(members, ",") + g.space() + "}"
}

func (g *generator) value(depth int) string {
	switch n := g.IntN(12); {
	case n < 3 && depth < 3:
		return g.message(depth + 1)
	case n < 6 && depth < 3:
		elements := make([]string, g.IntN(4))
		for i := range elements {
			elements[i] = g.value(depth + 1)
		}
		return "[" + strings.Join(elements, ",") + "]"
	case n < 8:
		return g.pick(genNumbers)
	case n == 8:
		return g.pick([]string{"true", "false", "null"})
	default:
		return g.literal(g.pick(genWords))
	}
}

// literal is a string in JSON, some characters of which are escaped.
func (g *generator) literal(text string) string {
	if g.IntN(2) == 0 {
		return quote(text)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"':
			b.WriteString(g.pick([]string{`\"`, `\u0022`}))
		case g.IntN(3) > 0:
			b.WriteRune(r)
		case r < 0x10000:
			b.WriteString(`\u` + g.pick([]string{fmt.Sprintf("%04x", r), fmt.Sprintf("%04X", r)}))
		default:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04X`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func (g *generator) space() string {
	if g.IntN(4) > 0 {
		return ""
	}
	return g.pick([]string{" ", "\n", "\t", "\r\n "})
}

// attributes are those of one message.
func (g *generator) attributes() (all []attribute) {
	for _, i := range g.Perm(len(genNames))[:1+g.IntN(5)] {
		a := attribute{name: genNames[i], dataType: "String", value: g.pick(genWords)}
		switch g.IntN(8) {
		case 0, 1:
			a.dataType, a.value = "Number", g.pick(genNumbers)
		case 2:
			a.dataType = g.pick([]string{"Binary", "Binary.gif", "Number", "String.word"})
		case 3, 4:
			a.dataType = "String.Array"
			elements := make([]string, g.IntN(4))
			for i := range elements {
				elements[i] = g.value(2)
			}
			a.value = g.space() + "[" + strings.Join(elements, ",") + "]"
			if g.IntN(20) == 0 {
				a.value = a.value[:g.IntN(len(a.value))]
			}
		}
		all = append(all, a)
	}
	return all
}

func (a attribute) String() string { return a.name + ":" + a.dataType + "=" + strconv.Quote(a.value) }
