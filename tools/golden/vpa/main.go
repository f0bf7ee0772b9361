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

type table struct {
	Upstream    string           `json:"upstream"`
	Points      []float64        `json:"points"`
	Buckets     bucketTable      `json:"buckets"`
	Checkpoints []checkpointCase `json:"checkpoints"`
	Scenarios   []scenarioResult `json:"scenarios"`
	Capping     []cappingCase    `json:"capping"`
	Updates     []updateCase     `json:"updates"`
}

func main() {
	klog.LogToStderr(false)
	klog.SetOutput(new(bytes.Buffer))
	output := flag.String("o", "", "file to write")
	flag.Parse()
	text, err := json.Marshal(table{
		Upstream:    upstream,
		Points:      points,
		Buckets:     bucketsOf(),
		Checkpoints: checkpointsOf(&random{100}),
		Scenarios:   scenariosOf(),
		Capping:     cappingOf(&random{200}),
		Updates:     updatesOf(&random{300}),
	})
	check(err)
	check(os.WriteFile(*output, append(text, '\n'), 0o644))
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
