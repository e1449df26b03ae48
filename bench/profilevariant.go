package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// setup is a variant: a scenario with some things set otherwise: a program, its environment, its configuration, or the work.
type setup struct {
	name       string
	scenario   ProfileScenario
	executable string
	env        []string
	config     map[string]any // of a configuration file, by section; nil for none
}

// parseSetup reads "KEY=VALUE,KEY=VALUE" or "default", which changes nothing. A key is
//
//   - binary: the program to run;
//   - one of the scenario's: durability, conns, size, fanout, pipeline, in_flight, delay, share, backlog;
//   - in capitals, a variable of the server's environment, such as GOGC;
//   - any other, a key of the server's configuration file, such as memory or limits.in_flight_publishes.
func parseSetup(text, executable string, sc ProfileScenario) (setup, error) {
	v := setup{name: text, scenario: sc, executable: executable}
	if text == "default" {
		return v, nil
	}
	for pair := range strings.SplitSeq(text, ",") {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" || value == "" {
			return v, fmt.Errorf("variant %q: %q is not KEY=VALUE", text, pair)
		}
		if err := v.set(key, value); err != nil {
			return v, fmt.Errorf("variant %q: %s: %w", text, key, err)
		}
	}
	return v, nil
}

func (v *setup) set(key, value string) (err error) {
	sc := &v.scenario
	switch key {
	case "binary":
		v.executable, err = filepath.Abs(value)
	case "durability":
		sc.Durability = value
	case "conns":
		sc.Conns, err = strconv.Atoi(value)
	case "size":
		sc.SizeBytes, err = strconv.Atoi(value)
	case "fanout":
		sc.Fanout, err = strconv.Atoi(value)
	case "pipeline":
		sc.Pipeline, err = strconv.Atoi(value)
	case "in_flight":
		sc.InFlight, err = strconv.Atoi(value)
	case "share":
		sc.Share, err = strconv.ParseFloat(value, 64)
	case "delay":
		sc.Delay, err = time.ParseDuration(value)
	case "backlog":
		sc.Backlog, err = time.ParseDuration(value)
	default:
		if key == strings.ToUpper(key) {
			v.env = append(v.env, key+"="+value)
			return nil
		}
		return v.configure(strings.Split(key, "."), value)
	}
	return err
}

var errSection = errors.New("is a section and a value")

// configure sets a key of the configuration file, whose sections stand before it.
func (v *setup) configure(key []string, value string) error {
	if v.config == nil {
		v.config = map[string]any{}
	}
	section, last := v.config, len(key)-1
	for _, name := range key[:last] {
		if section[name] == nil {
			section[name] = map[string]any{}
		}
		inner, ok := section[name].(map[string]any)
		if !ok {
			return errSection
		}
		section = inner
	}
	section[key[last]] = value
	if json.Valid([]byte(value)) { // a number, true or false
		section[key[last]] = json.RawMessage(value)
	}
	return nil
}

// suite starts the processes of this variant; the flags are for its server.
func (v *setup) suite(s *suite, number int) (*suite, []string, error) {
	own := &suite{opts: s.opts, dir: s.dir, env: v.env}
	own.opts.Executable = v.executable
	if v.config == nil {
		return own, nil, nil
	}
	text, err := json.Marshal(v.config) // which is YAML as well
	if err != nil {
		return nil, nil, err
	}
	file := filepath.Join(s.dir, fmt.Sprintf("variant-%d.yaml", number))
	return own, []string{"--config", file}, os.WriteFile(file, text, 0o600)
}
