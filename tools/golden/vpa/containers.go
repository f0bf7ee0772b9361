package main

import (
	"fmt"
	"time"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/logic"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
)

// scenario: samples of some replicas of some containers, made from the seed; the test makes the same ones.
type scenario struct {
	Seed       uint32 `json:"seed"`
	Containers int64  `json:"containers"`
	Replicas   int64  `json:"replicas"`
	Events     int64  `json:"events"`
	StepMs     int64  `json:"stepMs"`
	CPUMax     int64  `json:"cpuMax"`
	MemoryMax  int64  `json:"memoryMax"`
	// One event in so many is an OOM, one comes late, one is twice; 0: none.
	OomOneIn  int64 `json:"oomOneIn"`
	LateOneIn int64 `json:"lateOneIn"`
}

type containerResult struct {
	Name       string         `json:"name"`
	Accepted   int            `json:"accepted"`
	Samples    int            `json:"samples"`
	FirstMs    int64          `json:"firstMs"`
	LastMs     int64          `json:"lastMs"`
	WindowEnds []int64        `json:"windowEnds"`
	Peaks      []int64        `json:"peaks"`
	CPU        histogramState `json:"cpu"`
	Memory     histogramState `json:"memory"`
	CPUAt      []float64      `json:"cpuAt"`
	MemoryAt   []float64      `json:"memoryAt"`
	Target     [2]int64       `json:"target"`
	Lower      [2]int64       `json:"lower"`
	Upper      [2]int64       `json:"upper"`
}

type scenarioResult struct {
	scenario
	Results []containerResult `json:"results"`
	// Percentiles of all containers' CPU and memory merged into one, in order of name.
	MergedCPUAt    []float64 `json:"mergedCpuAt"`
	MergedMemoryAt []float64 `json:"mergedMemoryAt"`
	MergedSamples  int       `json:"mergedSamples"`
}

const startMs = 1_700_000_123_456

func scenariosOf(other uint32) []scenarioResult {
	result := []scenarioResult{}
	for _, s := range []scenario{
		{1, 1, 1, 0, 60_000, 1000, 1 << 30, 0, 0},
		{2, 1, 1, 1, 60_000, 1000, 1 << 30, 0, 0},
		{3, 2, 1, 2, 60_000, 1000, 1 << 30, 0, 0},
		{4, 1, 1, 400, 120_000, 1000, 1 << 30, 0, 0},
		{5, 1, 3, 900, 120_000, 3000, 1 << 32, 60, 11},
		{6, 2, 2, 1500, 900_000, 60_000, 1 << 36, 40, 17},
		{7, 3, 2, 1200, 3_600_000, 400, 60_000_000, 25, 5},
		{8, 1, 2, 300, 900_000_000, 2000, 1 << 31, 9, 4},
		{9, 1, 1, 40, 9_000_000_000, 2_000_000, 3_000_000_000_000, 5, 9},
		{10, 4, 1, 600, 600_000, 20, 12_000_000, 0, 30},
		{11, 1, 1, 500, 50_000_000, 900, 1 << 30, 2, 3},
		{12, 1, 5, 2000, 30_000, 1500, 1 << 33, 200, 50},
	} {
		s.Seed += other
		result = append(result, s.run())
	}
	return result
}

func (s scenario) run() scenarioResult {
	r := &random{s.Seed}
	result := scenarioResult{scenario: s, Results: []containerResult{}}
	aggregates := model.ContainerNameToAggregateStateMap{}
	states := make([][]*model.ContainerState, s.Containers)
	accepted := make([]int, s.Containers)
	for c := range s.Containers {
		aggregate := model.NewAggregateContainerState()
		aggregates[name(c)] = aggregate
		for range s.Replicas {
			states[c] = append(states[c], model.NewContainerState(nil, aggregate))
		}
	}
	atMs := int64(startMs)
	for range s.Events {
		atMs += 1 + r.below(s.StepMs)
		c, replica := r.below(s.Containers), r.below(s.Replicas)
		when := atMs
		if s.LateOneIn > 0 && r.oneIn(s.LateOneIn) {
			when -= r.below(4 * s.StepMs)
		}
		cpu, memory := r.skewed(s.CPUMax), r.skewed(s.MemoryMax)
		state := states[c][replica]
		count := func(ok bool) {
			if ok {
				accepted[c]++
			}
		}
		at := time.UnixMilli(when).UTC()
		if s.OomOneIn > 0 && r.oneIn(s.OomOneIn) {
			count(state.RecordOOM(at, model.ResourceAmount(memory)) == nil)
			continue
		}
		count(state.AddSample(&model.ContainerUsageSample{MeasureStart: at, Usage: model.ResourceAmount(cpu), Resource: model.ResourceCPU}))
		count(state.AddSample(&model.ContainerUsageSample{MeasureStart: at, Usage: model.ResourceAmount(memory), Resource: model.ResourceMemory}))
	}
	recommended := logic.CreatePodResourceRecommender(defaultConfig()).GetRecommendedPodResources(aggregates)
	for c := range s.Containers {
		aggregate := aggregates[name(c)]
		one := containerResult{
			Name:     name(c),
			Accepted: accepted[c],
			Samples:  aggregate.TotalSamplesCount,
			FirstMs:  milliOf(aggregate.FirstSampleStart),
			LastMs:   milliOf(aggregate.LastSampleStart),
			CPU:      stateOf(aggregate.AggregateCPUUsage),
			Memory:   stateOf(aggregate.AggregateMemoryPeaks),
			CPUAt:    percentiles(aggregate.AggregateCPUUsage),
			MemoryAt: percentiles(aggregate.AggregateMemoryPeaks),
			Target:   pair(recommended[name(c)].Target),
			Lower:    pair(recommended[name(c)].LowerBound),
			Upper:    pair(recommended[name(c)].UpperBound),
		}
		for _, state := range states[c] {
			one.WindowEnds = append(one.WindowEnds, milliOf(state.WindowEnd))
			one.Peaks = append(one.Peaks, int64(state.GetMaxMemoryPeak()))
		}
		result.Results = append(result.Results, one)
	}
	merged := model.NewAggregateContainerState()
	for c := range s.Containers {
		merged.MergeContainerState(aggregates[name(c)])
	}
	result.MergedCPUAt = percentiles(merged.AggregateCPUUsage)
	result.MergedMemoryAt = percentiles(merged.AggregateMemoryPeaks)
	result.MergedSamples = merged.TotalSamplesCount
	return result
}

func name(c int64) string { return fmt.Sprintf("c%d", c) }

// milliOf is -1 for a time that was never set.
func milliOf(at time.Time) int64 {
	if at.IsZero() {
		return -1
	}
	return at.UnixMilli()
}

func pair(resources model.Resources) [2]int64 {
	return [2]int64{int64(resources[model.ResourceCPU]), int64(resources[model.ResourceMemory])}
}

func defaultConfig() logic.RecommendationConfig {
	return logic.RecommendationConfig{
		SafetyMarginFraction:       0.15,
		PodMinCPUMillicores:        25,
		PodMinMemoryMb:             250,
		TargetCPUPercentile:        0.9,
		LowerBoundCPUPercentile:    0.5,
		UpperBoundCPUPercentile:    0.95,
		ConfidenceIntervalCPU:      24 * time.Hour,
		TargetMemoryPercentile:     0.9,
		LowerBoundMemoryPercentile: 0.5,
		UpperBoundMemoryPercentile: 0.95,
		ConfidenceIntervalMemory:   24 * time.Hour,
	}
}
