package main

import (
	"sort"
	"time"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/util"
)

// checkpointCase: weights added to an empty memory histogram at its reference time, saved and loaded again.
type checkpointCase struct {
	Samples [][2]float64   `json:"samples"`
	Saved   histogramState `json:"saved"`
	Before  []float64      `json:"before"`
	After   []float64      `json:"after"`
	Empty   bool           `json:"emptyAfter"`
}

type histogramState struct {
	ReferenceMs int64    `json:"referenceMs"`
	TotalWeight float64  `json:"totalWeight"`
	Weights     [][2]int `json:"weights"`
}

var points = []float64{-1, 0, 0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1, 2}

func percentiles(histogram util.Histogram) []float64 {
	result := make([]float64, len(points))
	for i, point := range points {
		result[i] = histogram.Percentile(point)
	}
	return result
}

func stateOf(histogram util.Histogram) histogramState {
	checkpoint, err := histogram.SaveToChekpoint()
	check(err)
	state := histogramState{
		ReferenceMs: checkpoint.ReferenceTimestamp.UnixMilli(),
		TotalWeight: checkpoint.TotalWeight,
		Weights:     [][2]int{},
	}
	for bucket, weight := range checkpoint.BucketWeights {
		state.Weights = append(state.Weights, [2]int{bucket, int(weight)})
	}
	sort.Slice(state.Weights, func(i, j int) bool { return state.Weights[i][0] < state.Weights[j][0] })
	return state
}

func reload(histogram util.Histogram) util.Histogram {
	checkpoint, err := histogram.SaveToChekpoint()
	check(err)
	result := newMemoryHistogram()
	check(result.LoadFromCheckpoint(checkpoint))
	return result
}

func newMemoryHistogram() util.Histogram {
	config := model.GetAggregationsConfig()
	return util.NewDecayingHistogram(config.MemoryHistogramOptions, config.MemoryHistogramDecayHalfLife)
}

func checkpointsOf(r *random) []checkpointCase {
	day := time.UnixMilli(1_700_006_400_000)
	cases := [][][2]float64{
		{},
		{{5e7, 1}},
		// Weights next to the empty threshold beside a heavy bucket: rounding brings them below it.
		{{1e7, 0.0001}, {5e8, 0.9}},
		{{1e7, 0.0001}, {5e8, 1}},
		{{1e7, 0.00010001}, {5e8, 1}},
		{{1e7, 0.00015}, {5e8, 0.9999}, {9e8, 0.0001}},
		{{1e7, 0.0001}, {5e8, 2}},
		{{1e7, 0.00009}, {5e8, 1}},
		{{1e7, 0.0002}, {2e7, 0.0001}, {4e7, 1}, {8e11, 0.0001}, {2e12, 0.0001}},
		{{1e7, 0.00005}},
	}
	for range 8 {
		samples := [][2]float64{}
		for range 2 + r.below(20) {
			samples = append(samples, [2]float64{float64(r.skewed(20_000_000_000)), float64(1+r.skewed(30_000)) / 10_000})
		}
		cases = append(cases, samples)
	}
	result := []checkpointCase{}
	for _, samples := range cases {
		histogram := newMemoryHistogram()
		for _, sample := range samples {
			histogram.AddSample(sample[0], sample[1], day)
		}
		loaded := reload(histogram)
		result = append(result, checkpointCase{samples, stateOf(histogram), percentiles(histogram), percentiles(loaded), loaded.IsEmpty()})
	}
	return result
}
