package main

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// retryScale is a factor above 0.
type retryScale float64

// UnmarshalText reads the text form.
func (r *retryScale) UnmarshalText(text []byte) error {
	v, err := strconv.ParseFloat(string(text), 64)
	if err != nil || !(v > 0 && v <= 1000) {
		return errors.New("must be a number above 0, up to 1000")
	}
	*r = retryScale(v)
	return nil
}

// MarshalText writes the text form.
func (r retryScale) MarshalText() ([]byte, error) { //nolint:unparam // as encoding.TextMarshaler wants it
	return strconv.AppendFloat(nil, float64(r), 'g', -1, 64), nil
}

// duration is a time.Duration that reads and prints as "1m30s".
type duration time.Duration

// UnmarshalText reads the text form.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return errors.New(`must be a duration such as "30s"`)
	}
	*d = duration(v)
	return nil
}

// MarshalText writes the text form.
func (d duration) MarshalText() ([]byte, error) { //nolint:unparam // as encoding.TextMarshaler wants it
	return []byte(time.Duration(d).String()), nil
}

// byteCount is a size that reads as "64MiB" and prints likewise.
type byteCount int64

var byteUnits = []struct {
	name string
	size byteCount
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

// UnmarshalText reads the text form; a number without a unit is bytes.
func (b *byteCount) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), byteCount(1)
	for _, u := range byteUnits {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(unit) {
		return errors.New(`must be a size such as "64MiB"`)
	}
	*b = byteCount(n) * unit
	return nil
}

// MarshalText writes the text form.
func (b byteCount) MarshalText() ([]byte, error) { //nolint:unparam // as encoding.TextMarshaler wants it
	for _, u := range byteUnits {
		if b >= u.size && b%u.size == 0 {
			return []byte(strconv.FormatInt(int64(b/u.size), 10) + u.name), nil
		}
	}
	return []byte("0"), nil
}

// mustText is the text form of a size.
func mustText(b byteCount) string {
	text, err := b.MarshalText()
	if err != nil {
		panic("BUG: a size has no text: " + err.Error())
	}
	return string(text)
}
