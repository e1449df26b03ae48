package sqs

// text is a member of a map, decoded.
type text struct{ key, value string }

// pairs decodes the members of a map.
func (c *call) pairs(raw []pair) ([]text, error) {
	texts := make([]text, 0, len(raw))
	for _, p := range raw {
		key, err := c.text(p.key)
		if err != nil {
			return nil, err
		}
		t := text{key: string(key)}
		value, err := c.text(p.value)
		if err != nil {
			return nil, err
		}
		t.value = string(value)
		texts = append(texts, t)
	}
	return texts, nil
}

// strings decodes a list.
func (c *call) strings(l list) ([]string, error) {
	texts := make([]string, 0, len(c.form.lists[l]))
	for _, raw := range c.form.lists[l] {
		text, err := c.text(raw)
		if err != nil {
			return nil, err
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
