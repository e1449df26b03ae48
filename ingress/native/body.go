package native

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/scan"
)

// parseBody reads the JSON object that a request's body is.
func parseBody[T any](body []byte, known map[string]setting[T]) (to T, err error) {
	if !utf8.Valid(body) {
		return to, &apiError{400, "invalid_body", "The body is not UTF-8."}
	}
	if err := readObject(&to, "", body, known); err != nil {
		return to, &apiError{400, "invalid_body", err.Error() + "."}
	}
	return to, nil
}

var errNotJSON = errors.New("the body is not JSON")

// readObject reads the members of a JSON object, which is the value of a key, or the body. It is stricter than
// encoding/json: a name has to be spelled as it is, and only once.
func readObject[T any](to *T, key string, text []byte, known map[string]setting[T]) error {
	var s scan.JSON
	s.Reset(text)
	switch s.Next() {
	case scan.JSONObject:
	case scan.JSONInvalid:
		return errNotJSON
	default:
		return fmt.Errorf("%s must be a JSON object", cmp.Or(key, "the body"))
	}
	seen := map[string]bool{}
	for {
		switch s.Next() {
		case scan.JSONKey:
			name := string(s.Key(nil))
			full := name
			if key != "" {
				full = key + "." + name
			}
			read, ok := known[name]
			if !ok {
				return fmt.Errorf("unknown key %q", full)
			}
			if seen[name] {
				return fmt.Errorf("key %q is there twice", full)
			}
			seen[name] = true
			s.Next()
			if value := s.Skip(); value != nil && read != nil {
				if err := read(to, full, value); err != nil {
					return err
				}
			}
		case scan.JSONObjectEnd:
			if s.Next() != scan.JSONEnd {
				return errNotJSON
			}
			return nil
		default:
			return errNotJSON
		}
	}
}

func textSetting[T any, S ~string](field func(*T) *S) setting[T] {
	return func(to *T, key string, value []byte) error {
		if value[0] != '"' || json.Unmarshal(value, field(to)) != nil {
			return fmt.Errorf("%s must be a string", key)
		}
		return nil
	}
}

func textsSetting[T any](field func(*T) *[]string) setting[T] {
	return func(to *T, key string, value []byte) error {
		var texts []*string // null is no text
		if value[0] != '[' || json.Unmarshal(value, &texts) != nil {
			return fmt.Errorf("%s must be a list of strings", key)
		}
		list := field(to)
		*list = nil
		for _, text := range texts {
			if text == nil {
				return fmt.Errorf("%s must be a list of strings", key)
			}
			*list = append(*list, *text)
		}
		return nil
	}
}

func boolSetting[T any](field func(*T) *bool) setting[T] {
	return func(to *T, key string, value []byte) error {
		if value[0] == 'n' || json.Unmarshal(value, field(to)) != nil {
			return fmt.Errorf("%s must be true or false", key)
		}
		return nil
	}
}

// numberSetting refuses what lies below low itself: the engine takes zero for the default.
func numberSetting[T any](low int, field func(*T) *int) setting[T] {
	return func(to *T, key string, value []byte) error {
		if json.Unmarshal(value, field(to)) != nil || value[0] == 'n' || *field(to) < low {
			return fmt.Errorf("%s must be a whole number from %d", key, low)
		}
		return nil
	}
}

func sequenceSetting[T any](field func(*T) *engine.Sequence) setting[T] {
	return func(to *T, key string, value []byte) error {
		if json.Unmarshal(value, field(to)) != nil || value[0] == 'n' {
			return fmt.Errorf("%s must be a whole number from 0", key)
		}
		return nil
	}
}

func spanSetting[T any](low time.Duration, field func(*T) *time.Duration) setting[T] {
	return func(to *T, key string, value []byte) error {
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil {
			if d, err := time.ParseDuration(text); err == nil && d >= low {
				*field(to) = d
				return nil
			}
		}
		return fmt.Errorf(`%s must be a duration such as "1m30s"`, key)
	}
}

func timeSetting[T any](field func(*T) *time.Time) setting[T] {
	return func(to *T, key string, value []byte) error {
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil {
			if at, ok := parseTime(text); ok {
				*field(to) = at
				return nil
			}
		}
		return fmt.Errorf("%s must be a time such as %q", key, timeExample)
	}
}

const timeExample = "2026-01-31T12:00:00Z"

// parseTime reads a time between 1970 and 2262, so that it has a place in ms and in ns.
func parseTime(text string) (time.Time, bool) {
	at, err := time.Parse(time.RFC3339, text)
	return at, err == nil && at.Unix() >= 0 && at.Unix() < math.MaxInt64/int64(time.Second)
}

var sizeUnits = []struct {
	name string
	size int64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// sizeSetting reads a number of bytes, or a text such as "64MiB".
func sizeSetting[T any](field func(*T) *int64) setting[T] {
	return func(to *T, key string, value []byte) error {
		text, unit := string(value), int64(1)
		if value[0] == '"' {
			if json.Unmarshal(value, &text) != nil {
				return errNotJSON
			}
			for _, u := range sizeUnits {
				if rest, ok := strings.CutSuffix(text, u.name); ok {
					text, unit = rest, u.size
					break
				}
			}
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit {
			return fmt.Errorf(`%s must be a number of bytes, or a size such as "64MiB"`, key)
		}
		*field(to) = n * unit
		return nil
	}
}
