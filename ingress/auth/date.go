package auth

import (
	"net/http"
	"time"
)

// Forms of a date: 20260102T030405Z, of which the first eight are the day.
const (
	dateForm  = "20060102T150405Z"
	dateBytes = len(dateForm)
	dayBytes  = len("20060102")
)

// skewMax is by how much the clocks of the two sides may differ. A request that is older or newer by exactly this much
// is accepted.
const skewMax = 15 * 60

// lifetimeMax is how long a presigned request may live.
const lifetimeMax = 7 * 24 * 3600

// findDate returns the date of a signature in a header: X-Amz-Date, or Date without it. nil when there is none.
func (v *verification) findDate() ([]byte, error) {
	date, count := find(v.fields, nameAmzDate)
	if count == 0 {
		if date, count = find(v.fields, nameDate); count == 1 && len(date) != dateBytes {
			if t, err := http.ParseTime(string(date)); err == nil {
				date = t.UTC().AppendFormat(nil, dateForm)
			}
		}
	}
	if count > 1 {
		return nil, errTwice
	}
	return date, nil
}

// checkTime checks that the request was signed around now, in whole seconds, or has not outlived its life.
func (v *verification) checkTime(now int64) error {
	var ok bool
	if v.at, ok = parseDate(v.date); !ok {
		return &Fault{400, codeIncomplete, "Date must be in ISO-8601 'basic format'. Got '" + shorten(v.date) + "'."}
	}
	switch {
	case v.at > now+skewMax:
		return &Fault{403, codeSignature, "Signature not yet current: " + string(v.date) + " is still later than " +
			formatDate(now+skewMax) + " (" + formatDate(now) + " + 15 min.)"}
	case v.presigned && v.at+v.lifetime < now:
		return ErrExpired
	case !v.presigned && v.at < now-skewMax:
		return &Fault{403, codeSignature, "Signature expired: " + string(v.date) + " is now earlier than " +
			formatDate(now-skewMax) + " (" + formatDate(now) + " - 15 min.)"}
	}
	return nil
}

func formatDate(at int64) string { return time.Unix(at, 0).UTC().Format(dateForm) }

// parseDate reads yyyymmddThhmmssZ, and no date that is not in the calendar.
func parseDate(text []byte) (at int64, ok bool) {
	if len(text) != dateBytes || text[8] != 'T' || text[15] != 'Z' {
		return 0, false
	}
	var n [14]int
	for i, from := 0, 0; from < 15; from++ {
		if from == 8 {
			continue
		}
		if n[i] = int(text[from]) - '0'; n[i] < 0 || n[i] > 9 {
			return 0, false
		}
		i++
	}
	year, month, day := n[0]*1000+n[1]*100+n[2]*10+n[3], n[4]*10+n[5], n[6]*10+n[7]
	hour, minute, second := n[8]*10+n[9], n[10]*10+n[11], n[12]*10+n[13]
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	return t.Unix(), t.Day() == day && int(t.Month()) == month
}
