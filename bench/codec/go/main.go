// What go-proxyproto takes for the same headers. Standard input: a line of JSON with headers by row, in base64, which is
// answered by what they say; then a line with the number of a row for each round, answered by what one header costs.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"

	proxyproto "github.com/pires/go-proxyproto"
)

const (
	roundNS = 15e6
	batch   = 1024
)

type ends struct {
	Source          string `json:"source"`
	SourcePort      int    `json:"sourcePort"`
	Destination     string `json:"destination"`
	DestinationPort int    `json:"destinationPort"`
}

type cost struct {
	Nanoseconds    float64 `json:"nanoseconds"`
	BytesAllocated float64 `json:"bytesAllocated"`
}

// One reader for all headers: what a server makes for each connection is not counted.
var (
	source = bytes.NewReader(nil)
	reader = bufio.NewReader(source)
	last   ends
)

func main() {
	input := bufio.NewReader(os.Stdin)
	output := json.NewEncoder(os.Stdout)
	var rows [][][]byte
	line, err := input.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &rows)
	}
	if err != nil {
		fail(err)
	}
	answers := make([][]ends, len(rows))
	for i, row := range rows {
		for _, header := range row {
			read(header)
			answers[i] = append(answers[i], last)
		}
	}
	output.Encode(answers)
	for {
		var row int
		if _, err := fmt.Fscanln(input, &row); err != nil {
			return
		}
		output.Encode(round(rows[row]))
	}
}

func read(header []byte) {
	source.Reset(header)
	reader.Reset(source)
	result, err := proxyproto.Read(reader)
	if err != nil {
		fail(err)
	}
	from, to := result.SourceAddr.(*net.TCPAddr), result.DestinationAddr.(*net.TCPAddr)
	last = ends{from.IP.String(), from.Port, to.IP.String(), to.Port}
}

func round(headers [][]byte) cost {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, calls, elapsed := cpuTime(), 0, 0.0
	for elapsed < roundNS {
		for i := 0; i < batch; i++ {
			read(headers[(calls+i)%len(headers)])
		}
		calls += batch
		elapsed = cpuTime() - start
	}
	runtime.ReadMemStats(&after)
	return cost{elapsed / float64(calls), float64(after.TotalAlloc-before.TotalAlloc) / float64(calls)}
}

// Of all threads: collecting garbage counts.
func cpuTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fail(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
