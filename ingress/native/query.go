package native

import (
	"fmt"
	"strconv"

	"fanfare/ingress/scan"
)

// walkQuery calls fn with every parameter of a query. None may be there twice.
func walkQuery(query []byte, fn func(key, value string) error) error {
	seen := map[string]bool{}
	s := scan.NewFormScanner(query)
	for s.Next() {
		key, err1 := scan.AppendFormValue(nil, s.Key)
		value, err2 := scan.AppendFormValue(nil, s.Value)
		if err1 != nil || err2 != nil {
			return queryError("The query's percent-encoding is malformed.")
		}
		if seen[string(key)] {
			return queryError(fmt.Sprintf("parameter %q is there twice.", key))
		}
		seen[string(key)] = true
		if err := fn(string(key), string(value)); err != nil {
			return err
		}
	}
	return nil
}

func queryError(text string) error { return &apiError{400, "invalid_query", text} }

func unknownParameter(key string) error { return queryError(fmt.Sprintf("unknown parameter %q.", key)) }

func readLimit(value string, most int, into *int) error {
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > most {
		return queryError(fmt.Sprintf("limit must be between 1 and %d.", most))
	}
	*into = n
	return nil
}

// readFlag reads a parameter that may be true or false.
func readFlag(key, value string, into *bool) error {
	*into = value == "true"
	if !*into && value != "false" {
		return queryError(key + " must be true or false.")
	}
	return nil
}
