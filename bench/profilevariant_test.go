package bench

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func TestParseSetup(t *testing.T) {
	base := ProfileScenario{Name: "s", Durability: "sync", Conns: 256, Pipeline: 1}
	v, err := parseSetup("durability=memory,conns=8,size=64,fanout=3,pipeline=16,in_flight=32,share=0.5,backlog=1s,delay=1ms,GOGC=400,memory=64MiB,limits.in_flight_publishes=64,limits.connections=9", "exe", base)
	if err != nil {
		t.Fatal(err)
	}
	want := ProfileScenario{
		Name: "s", Durability: "memory", Conns: 8, SizeBytes: 64, Fanout: 3, Pipeline: 16, InFlight: 32, Share: 0.5, Backlog: 1e9, Delay: 1e6,
	}
	if diff := cmp.Diff(want, v.scenario); diff != "" {
		t.Errorf("scenario (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"GOGC=400"}, v.env); diff != "" {
		t.Error(diff)
	}
	var config struct {
		Memory string
		Limits struct {
			InFlight    int `yaml:"in_flight_publishes"`
			Connections int
		}
	}
	s := &suite{opts: SuiteOptions{Executable: "other"}, dir: t.TempDir()}
	own, flags, err := v.suite(s, 3)
	if err != nil || own.opts.Executable != "exe" || len(flags) != 2 {
		t.Fatal(own, flags, err)
	}
	text, err := os.ReadFile(flags[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &config); err != nil || config.Memory != "64MiB" || config.Limits.InFlight != 64 || config.Limits.Connections != 9 {
		t.Errorf("%s: %+v, %v", text, config, err)
	}
	if cmd := own.command([]string{"serve"}); cmd.Env[len(cmd.Env)-1] != "GOGC=400" {
		t.Error(cmd.Env)
	}
}

func TestParseSetupRefuses(t *testing.T) {
	for _, text := range []string{"", "x", "=1", "GOGC=", "conns=many", "share=half", "backlog=long", "conns=1,,size=2", "memory=1,memory.x=2"} {
		if _, err := parseSetup(text, "exe", ProfileScenario{}); err == nil || !strings.Contains(err.Error(), "variant ") {
			t.Errorf("%q: %v", text, err)
		}
	}
	v, err := parseSetup("binary=some/where", "exe", ProfileScenario{})
	if err != nil || !filepath.IsAbs(v.executable) {
		t.Error(v.executable, err)
	}
}

func TestVaryOptionsValidate(t *testing.T) {
	_, err := Vary(t.Context(), VaryOptions{Scenario: "publish-sync-256", Variants: []string{"conns=x"}, Runs: -1, Duration: -1})
	want := "bench: vary: executable: is missing\nruns: -1 is negative\nduration: -1ns is negative\nvariants: there must be 2 to 16\n" +
		`variant "conns=x": conns: strconv.Atoi: parsing "x": invalid syntax`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
	if _, err := Vary(t.Context(), VaryOptions{Scenario: "none"}); err == nil || !strings.Contains(err.Error(), "publish-sync-256, publish-memory-256") {
		t.Errorf("%v: does not name the scenarios", err)
	}
}
