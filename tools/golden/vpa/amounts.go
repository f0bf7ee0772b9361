package main

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// amounts is a resource list in the units of the product; a nil field is not set.
type amounts struct {
	CPU    *int64 `json:"cpuMilli,omitempty"`
	Memory *int64 `json:"memoryBytes,omitempty"`
}

func (a amounts) list() corev1.ResourceList {
	if a.CPU == nil && a.Memory == nil {
		return nil
	}
	list := corev1.ResourceList{}
	if a.CPU != nil {
		list[corev1.ResourceCPU] = *resource.NewMilliQuantity(*a.CPU, resource.DecimalSI)
	}
	if a.Memory != nil {
		list[corev1.ResourceMemory] = *resource.NewQuantity(*a.Memory, resource.BinarySI)
	}
	return list
}

func amountsFrom(list corev1.ResourceList) amounts {
	var result amounts
	if quantity, ok := list[corev1.ResourceCPU]; ok {
		milli := quantity.MilliValue()
		result.CPU = &milli
	}
	if quantity, ok := list[corev1.ResourceMemory]; ok {
		bytes := quantity.Value()
		result.Memory = &bytes
	}
	return result
}

func (a *amounts) overlay(by amounts) {
	if by.CPU != nil {
		a.CPU = by.CPU
	}
	if by.Memory != nil {
		a.Memory = by.Memory
	}
}

// randomAmounts leaves out each resource once in `without` times; 0: never.
func randomAmounts(r *random, without int64) amounts {
	var result amounts
	if without == 0 || !r.oneIn(without) {
		cpu := 10 + r.below(3000)
		result.CPU = &cpu
	}
	if without == 0 || !r.oneIn(without) {
		memory := 1_000_000 + r.below(4_000_000_000)
		result.Memory = &memory
	}
	return result
}
