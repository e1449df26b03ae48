package native

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"fanfare/engine"
	"fanfare/ingress/scan"
)

// setting reads one key's value into the settings. Errors name the key.
type setting func(c *engine.SubscriptionConfig, key string, value []byte) error

// settings are the keys of a subscription; those with nil are what a view adds, and ignored.
var settings = map[string]setting{
	"kind":          textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Kind }),
	"endpoint":      textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Endpoint }),
	"envelope":      textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Envelope }),
	"filter_tag":    textSetting(func(c *engine.SubscriptionConfig) *string { return &c.FilterTag }),
	"max_in_flight": numberSetting(1, func(c *engine.SubscriptionConfig) *int { return &c.MaxInFlight }),
	"pipeline":      numberSetting(1, func(c *engine.SubscriptionConfig) *int { return &c.Pipeline }),
	"retry": func(c *engine.SubscriptionConfig, key string, value []byte) error {
		return readObject(c, key, value, retrySettings)
	},
	"name": nil, "topic": nil, "pending": nil, "declared": nil, "created_at": nil, "updated_at": nil,
}

var retrySettings = map[string]setting{
	"min_delay":    spanSetting(func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MinDelay }),
	"max_delay":    spanSetting(func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MaxDelay }),
	"max_age":      spanSetting(func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MaxAge }),
	"timeout":      spanSetting(func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.Timeout }),
	"max_attempts": numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.Retry.MaxAttempts }),
}

// parseSettings reads the settings of a subscription. The engine checks their ranges.
func parseSettings(body []byte) (c engine.SubscriptionConfig, err error) {
	if !utf8.Valid(body) {
		return c, &apiError{400, "invalid_body", "The body is not UTF-8."}
	}
	if err := readObject(&c, "", body, settings); err != nil {
		return c, &apiError{400, "invalid_body", err.Error() + "."}
	}
	return c, nil
}

var errNotJSON = errors.New("the body is not JSON")

// readObject reads the members of a JSON object, which is the value of a key, or the body. It is stricter than
// encoding/json: a name has to be spelled as it is, and only once.
func readObject(c *engine.SubscriptionConfig, key string, text []byte, known map[string]setting) error {
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
				if err := read(c, full, value); err != nil {
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

func textSetting(field func(*engine.SubscriptionConfig) *string) setting {
	return func(c *engine.SubscriptionConfig, key string, value []byte) error {
		if value[0] != '"' || json.Unmarshal(value, field(c)) != nil {
			return fmt.Errorf("%s must be a string", key)
		}
		return nil
	}
}

// numberSetting refuses what lies below low itself: the engine takes zero for the default.
func numberSetting(low int, field func(*engine.SubscriptionConfig) *int) setting {
	return func(c *engine.SubscriptionConfig, key string, value []byte) error {
		if json.Unmarshal(value, field(c)) != nil || value[0] == 'n' || *field(c) < low {
			return fmt.Errorf("%s must be a whole number from %d", key, low)
		}
		return nil
	}
}

func spanSetting(field func(*engine.SubscriptionConfig) *time.Duration) setting {
	return func(c *engine.SubscriptionConfig, key string, value []byte) error {
		var text string
		if value[0] == '"' && json.Unmarshal(value, &text) == nil {
			if d, err := time.ParseDuration(text); err == nil && d > 0 {
				*field(c) = d
				return nil
			}
		}
		return fmt.Errorf(`%s must be a duration such as "1m30s"`, key)
	}
}
