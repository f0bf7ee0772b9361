package main

import (
	"math"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/model"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender/util"
)

type bucketTable struct {
	CPUStarts    []float64 `json:"cpuStarts"`
	MemoryStarts []float64 `json:"memoryStarts"`
	// First thousandth of a core of each bucket that has one.
	CPUFirstMilli [][2]int64 `json:"cpuFirstMilli"`
	// Buckets of the whole bytes around each start: one less, itself truncated, one more.
	MemoryAround [][3]int `json:"memoryAround"`
}

func bucketsOf() bucketTable {
	config := model.GetAggregationsConfig()
	table := bucketTable{
		CPUStarts:    starts(config.CPUHistogramOptions),
		MemoryStarts: starts(config.MemoryHistogramOptions),
	}
	last := -1
	for milli := int64(0); milli <= 1_100_000; milli++ {
		bucket := config.CPUHistogramOptions.FindBucket(float64(milli) / 1000)
		if bucket != last {
			table.CPUFirstMilli = append(table.CPUFirstMilli, [2]int64{milli, int64(bucket)})
		}
		last = bucket
	}
	for _, start := range table.MemoryStarts {
		find := func(offset float64) int { return config.MemoryHistogramOptions.FindBucket(math.Floor(start) + offset) }
		table.MemoryAround = append(table.MemoryAround, [3]int{find(-1), find(0), find(1)})
	}
	return table
}

func starts(options util.HistogramOptions) []float64 {
	result := make([]float64, options.NumBuckets())
	for bucket := range result {
		result[bucket] = options.GetBucketStart(bucket)
	}
	return result
}
