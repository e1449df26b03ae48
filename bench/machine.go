package bench

import (
	"bufio"
	"io"
	"strings"
)

// Machine is where a report was measured.
type Machine struct {
	CPU        string `json:"cpu"`
	Cores      int    `json:"cores"`
	Kernel     string `json:"kernel"`
	Go         string `json:"go"`
	FileSystem string `json:"file_system"` // under the data of the run
}

// cpuModel finds the processor's name in /proc/cpuinfo.
func cpuModel(cpuinfo io.Reader) string {
	lines := bufio.NewScanner(cpuinfo)
	for lines.Scan() {
		if name, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

// fileSystem finds the type of the file system a directory lies on in /proc/self/mountinfo.
func fileSystem(mountinfo io.Reader, dir string) string {
	best, found := -1, "unknown"
	lines := bufio.NewScanner(mountinfo)
	for lines.Scan() {
		// 36 35 98:0 /root /mount/point options... - type source options
		mount, device, ok := strings.Cut(lines.Text(), " - ")
		fields, kind := strings.Fields(mount), strings.Fields(device)
		if !ok || len(fields) < 5 || len(kind) < 1 {
			continue
		}
		point := fields[4]
		below := point == "/" || dir == point || strings.HasPrefix(dir, point+"/")
		if below && len(point) >= best { // of two mounts on one point the later covers the earlier
			best, found = len(point), kind[0]
		}
	}
	return found
}
