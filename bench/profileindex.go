package bench

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ProfileIndexFile is where Profile says what it captured, beside the profiles.
const ProfileIndexFile = "captures.json"

// ProfileIndex is what the profiles of a directory are of, and how each was made. The commands name the addresses
// LISTEN and ADMIN of the server, SINK of the subscriber, and its directory DATA.
type ProfileIndex struct {
	Captures []ProfileCapture `json:"captures"`
}

// ProfileCapture is a scenario and the profiles of it.
type ProfileCapture struct {
	ProfileScenario
	Command   string        `json:"command"` // captures these again
	Commit    string        `json:"commit,omitempty"`
	Date      time.Time     `json:"date"`
	Machine   Machine       `json:"machine"`
	PerSecond float64       `json:"per_second"` // pushes, or publishes, while the CPU profile was taken
	CPU       float64       `json:"cpu_us"`     // CPU time of the server for each, in µs
	Load      []string      `json:"load"`       // the load generators
	Files     []ProfileFile `json:"files"`
}

// ProfileFile is one profile, and the commands that made it.
type ProfileFile struct {
	File   string `json:"file"`
	Kind   string `json:"kind"` // cpu, allocs, mutex or block
	Bytes  int    `json:"bytes"`
	Server string `json:"server"`
	Fetch  string `json:"fetch"`
}

// readIndex reads the index of a directory; without one there are no captures.
func readIndex(dir string) (*ProfileIndex, error) {
	x := &ProfileIndex{}
	text, err := os.ReadFile(filepath.Join(dir, ProfileIndexFile))
	if errors.Is(err, fs.ErrNotExist) {
		return x, nil
	}
	if err == nil {
		err = json.Unmarshal(text, x)
	}
	return x, err
}

// put adds a capture in place of an older one of the same scenario. The order is that of ProfileScenarios.
func (x *ProfileIndex) put(c *ProfileCapture) {
	x.Captures = slices.DeleteFunc(x.Captures, func(old ProfileCapture) bool { return old.Name == c.Name })
	x.Captures = append(x.Captures, *c)
	order := scenarioNames(ProfileScenarios())
	slices.SortStableFunc(x.Captures, func(a, b ProfileCapture) int {
		return slices.Index(order, a.Name) - slices.Index(order, b.Name)
	})
}

func (x *ProfileIndex) write(dir string) error {
	text, err := json.MarshalIndent(x, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ProfileIndexFile), append(text, '\n'), 0o644)
}
