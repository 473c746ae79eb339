// Command timer does with Go's pprof what `cargo xtask bench pprof` does with ours: one task over and over, a turn for
// each line on stdin, telling each turn's time as a line of JSON. See worker.rs.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/google/pprof/internal/graph"
	"github.com/google/pprof/internal/measurement"
	"github.com/google/pprof/internal/report"
	"github.com/google/pprof/profile"
)

type turn struct {
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	PeakBytes   uint64  `json:"peak_bytes"`
	Found       int64   `json:"found"`
}

func main() {
	task, files := os.Args[1], read(os.Args[2:])
	work := prepare(task, files)
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		// What the turn before left behind is not this one's.
		runtime.GC()
		wall, cpu := time.Now(), cpuSeconds()
		found := work()
		t := turn{WallSeconds: time.Since(wall).Seconds(), CPUSeconds: cpuSeconds() - cpu, PeakBytes: peak(), Found: found}
		check(out.Encode(t))
	}
}

func prepare(task string, files [][]byte) func() int64 {
	first := files[0]
	switch task {
	case "decode":
		return func() int64 { return int64(len(parse(first).Sample)) }
	case "tree":
		return func() int64 { return nodes(parse(first), true) }
	case "graph":
		return func() int64 { nodes(parse(first), false); return 0 }
	case "top":
		prof := parse(first)
		return func() int64 { return top(prof) }
	case "file-top":
		return func() int64 { return top(parse(first)) }
	case "merge":
		var profiles []*profile.Profile
		for _, file := range files {
			profiles = append(profiles, parse(file))
		}
		return func() int64 {
			merged, err := profile.Merge(profiles)
			check(err)
			return int64(len(merged.Sample))
		}
	case "encode", "encode-gzip":
		prof := parse(first)
		write := prof.WriteUncompressed
		if task == "encode-gzip" {
			write = prof.Write
		}
		return func() int64 {
			check(write(new(bytes.Buffer)))
			return 0
		}
	}
	check(fmt.Errorf("no task %q", task))
	return nil
}

func parse(file []byte) *profile.Profile {
	prof, err := profile.Parse(bytes.NewReader(file))
	check(err)
	return prof
}

func value(values []int64) int64 { return values[1] }

func nodes(prof *profile.Profile, callTree bool) int64 {
	byFunction(prof)
	format := func(v int64, key string) string { return measurement.ScaledLabel(v, key, "minimum") }
	g := graph.New(prof, &graph.Options{SampleValue: value, FormatTag: format, CallTree: callTree})
	return int64(len(g.Nodes))
}

// What the driver does before it makes a report.
func byFunction(prof *profile.Profile) {
	check(prof.Aggregate(true, true, false, false, false, false))
}

func top(prof *profile.Profile) int64 {
	byFunction(prof)
	rpt := report.NewDefault(prof, report.Options{
		OutputFormat: report.Text,
		OutputUnit:   "minimum",
		Ratio:        1,
		NodeFraction: 0.005,
		EdgeFraction: 0.001,
		SampleValue:  value,
		SampleType:   "cpu",
		SampleUnit:   "nanoseconds",
	})
	items, _ := report.TextItems(rpt)
	var flat int64
	for _, item := range items {
		flat += item.Flat
	}
	return flat
}

func read(names []string) (files [][]byte) {
	for _, name := range names {
		file, err := os.ReadFile(name)
		check(err)
		files = append(files, file)
	}
	return files
}

func cpuSeconds() float64 {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}

// peak is 0 where there is no /proc.
func peak() (bytes uint64) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(status), "\n") {
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &bytes); n == 1 {
			return bytes * 1024
		}
	}
	return 0
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "timer:", err)
		os.Exit(1)
	}
}
