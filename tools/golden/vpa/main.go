// Command vpa writes a table of what the Vertical Pod Autoscaler's own code answers, for the tests of sizing.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"

	"k8s.io/klog/v2"
)

const upstream = "k8s.io/autoscaler/vertical-pod-autoscaler v1.8.1"

// line is one line of the table: exactly one field is set.
type line struct {
	Upstream   string          `json:"upstream,omitempty"`
	Points     []float64       `json:"points,omitempty"`
	Buckets    *bucketTable    `json:"buckets,omitempty"`
	Checkpoint *checkpointCase `json:"checkpoint,omitempty"`
	Scenario   *scenarioResult `json:"scenario,omitempty"`
	Capping    *cappingCase    `json:"capping,omitempty"`
	Update     *updateCase     `json:"update,omitempty"`
}

func main() {
	klog.LogToStderr(false)
	klog.SetOutput(new(bytes.Buffer))
	output := flag.String("o", "../../../packages/core/src/sizing/golden.jsonl", "file to write")
	seed := flag.Uint("seed", 0, "another table")
	times := flag.Int("times", 1, "how many times as many cases of capping and updates")
	flag.Parse()
	other := uint32(*seed) * 1000
	buckets := bucketsOf()
	lines := []line{{Upstream: upstream}, {Points: points}, {Buckets: &buckets}}
	for _, one := range checkpointsOf(&random{100 + other}) {
		lines = append(lines, line{Checkpoint: &one})
	}
	for _, one := range scenariosOf(other) {
		lines = append(lines, line{Scenario: &one})
	}
	for _, one := range cappingOf(&random{200 + other}, 38**times) {
		lines = append(lines, line{Capping: &one})
	}
	for _, one := range updatesOf(&random{300 + other}, 52**times) {
		lines = append(lines, line{Update: &one})
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	for _, one := range lines {
		check(encoder.Encode(one))
	}
	check(os.WriteFile(*output, text.Bytes(), 0o644))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
