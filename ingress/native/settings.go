package native

import (
	"fmt"
	"time"

	"fanfare/engine"
)

// setting reads one key's value into what a body says. Errors name the key.
type setting[T any] func(to *T, key string, value []byte) error

type subscriptionSetting = setting[engine.SubscriptionConfig]

// settings are the keys of a subscription; those with nil are what a view adds, and ignored.
var settings = map[string]subscriptionSetting{
	"kind":                textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Kind }),
	"endpoint":            textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Endpoint }),
	"envelope":            textSetting(func(c *engine.SubscriptionConfig) *string { return &c.Envelope }),
	"filter_tag":          textSetting(func(c *engine.SubscriptionConfig) *string { return &c.FilterTag }),
	"filter_policy":       textSetting(func(c *engine.SubscriptionConfig) *string { return &c.FilterPolicy }),
	"filter_policy_scope": textSetting(func(c *engine.SubscriptionConfig) *string { return &c.FilterPolicyScope }),
	"max_in_flight":       numberSetting(1, func(c *engine.SubscriptionConfig) *int { return &c.MaxInFlight }),
	"pipeline":            numberSetting(1, func(c *engine.SubscriptionConfig) *int { return &c.Pipeline }),
	"max_per_second":      numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.MaxPerSecond }),
	"ordered":             boolSetting(func(c *engine.SubscriptionConfig) *bool { return &c.Ordered }),
	"retry": func(c *engine.SubscriptionConfig, key string, value []byte) error {
		return readObject(c, key, value, retrySettings)
	},
	"answers": func(c *engine.SubscriptionConfig, key string, value []byte) error {
		return readObject(c, key, value, answerSettings)
	},
	"dead_letters": func(c *engine.SubscriptionConfig, key string, value []byte) error {
		return readObject(c, key, value, placeSettings)
	},
	"name": nil, "topic": nil, "pending": nil, "declared": nil, "created_at": nil, "updated_at": nil, "state": nil,
}

var retrySettings = map[string]subscriptionSetting{
	"backoff":            textSetting(func(c *engine.SubscriptionConfig) *engine.Backoff { return &c.Retry.Backoff }),
	"jitter":             textSetting(func(c *engine.SubscriptionConfig) *engine.Jitter { return &c.Retry.Jitter }),
	"min_delay":          spanSetting(1, func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MinDelay }),
	"max_delay":          spanSetting(1, func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MaxDelay }),
	"delays":             delaysSetting,
	"immediate":          numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.Retry.Immediate }),
	"at_min_delay":       numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.Retry.AtMinDelay }),
	"at_max_delay":       numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.Retry.AtMaxDelay }),
	"max_attempts":       numberSetting(0, func(c *engine.SubscriptionConfig) *int { return &c.Retry.MaxAttempts }),
	"max_age":            spanSetting(1, func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.MaxAge }),
	"timeout":            spanSetting(1, func(c *engine.SubscriptionConfig) *time.Duration { return &c.Retry.Timeout }),
	"ignore_retry_after": boolSetting(func(c *engine.SubscriptionConfig) *bool { return &c.Retry.Deaf }),
}

var answerSettings = map[string]subscriptionSetting{
	"accept": textsSetting(func(c *engine.SubscriptionConfig) *[]string { return &c.Answers.Accept }),
	"retry":  textsSetting(func(c *engine.SubscriptionConfig) *[]string { return &c.Answers.Retry }),
	"final":  textsSetting(func(c *engine.SubscriptionConfig) *[]string { return &c.Answers.Final }),
}

var placeSettings = map[string]subscriptionSetting{
	"topic": textSetting(func(c *engine.SubscriptionConfig) *string { return &c.DeadLetters.Topic }),
	"queue": textSetting(func(c *engine.SubscriptionConfig) *string { return &c.DeadLetters.Queue }),
}

func delaysSetting(c *engine.SubscriptionConfig, key string, value []byte) error {
	var texts []string
	if err := textsSetting(func(t *[]string) *[]string { return t })(&texts, key, value); err != nil {
		return err
	}
	c.Retry.Delays = nil
	for _, text := range texts {
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return fmt.Errorf(`%s must be a list of durations such as "1m30s"`, key)
		}
		c.Retry.Delays = append(c.Retry.Delays, d)
	}
	return nil
}

// parseSettings reads the settings of a subscription. The engine checks their ranges.
func parseSettings(body []byte) (engine.SubscriptionConfig, error) { return parseBody(body, settings) }

// topicSettings is what the body of a topic's PUT says.
type topicSettings struct {
	retention *engine.Retention // nil: nothing
}

// topicKeys are the keys of a topic; those with nil are what a view adds, and ignored.
var topicKeys = map[string]setting[topicSettings]{
	"retention": func(t *topicSettings, key string, value []byte) error {
		t.retention = &engine.Retention{}
		return readObject(t.retention, key, value, retentionKeys)
	},
	"name": nil, "declared": nil, "subscriptions": nil, "last_sequence": nil, "created_at": nil, "updated_at": nil,
}

var retentionKeys = map[string]setting[engine.Retention]{
	"age":   spanSetting(0, func(r *engine.Retention) *time.Duration { return &r.Age }),
	"bytes": sizeSetting(func(r *engine.Retention) *int64 { return &r.Bytes }),
}

// parseTopic reads the settings of a topic; an empty body says nothing.
func parseTopic(body []byte) (topicSettings, error) {
	if len(body) == 0 {
		return topicSettings{}, nil
	}
	return parseBody(body, topicKeys)
}
