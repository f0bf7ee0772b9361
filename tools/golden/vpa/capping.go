package main

import (
	corev1 "k8s.io/api/core/v1"
	vpa_types "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/recommendation"
	api "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

type container struct {
	Name     string  `json:"name"`
	Requests amounts `json:"requests"`
	Limits   amounts `json:"limits,omitzero"`
}

type recommended struct {
	Name   string  `json:"name"`
	Lower  amounts `json:"lowerBound,omitzero"`
	Target amounts `json:"target"`
	Upper  amounts `json:"upperBound,omitzero"`
}

type policy struct {
	Container        string  `json:"container"`
	MinAllowed       amounts `json:"minAllowed"`
	MaxAllowed       amounts `json:"maxAllowed"`
	ControlledValues string  `json:"controlledValues"`
}

type limitRange struct {
	Min     amounts `json:"min"`
	Max     amounts `json:"max"`
	Default amounts `json:"default"`
}

type cappingCase struct {
	Containers     []container   `json:"containers"`
	Policies       []policy      `json:"policies"`
	RecommenderMax amounts       `json:"recommenderMax"`
	PodRange       *limitRange   `json:"podRange"`
	ContainerRange *limitRange   `json:"containerRange"`
	Recommended    []recommended `json:"recommended"`
	Capped         []recommended `json:"capped"`
	Fitted         []recommended `json:"fitted"`
	Applied        []container   `json:"applied"`
}

// ranges gives the limit ranges of a case to the processors.
type ranges struct{ pod, container *corev1.LimitRangeItem }

func (r ranges) GetContainerLimitRangeItem(string) (*corev1.LimitRangeItem, error) {
	return r.container, nil
}
func (r ranges) GetPodLimitRangeItem(string) (*corev1.LimitRangeItem, error) { return r.pod, nil }

func cappingOf(r *random, count int) []cappingCase {
	cases := []cappingCase{}
	for len(cases) < count {
		c := randomCapping(r)
		if c.answer() {
			cases = append(cases, c)
		}
	}
	return cases
}

func randomCapping(r *random) cappingCase {
	c := cappingCase{Policies: []policy{}, Recommended: []recommended{}}
	names := []string{"app", "proxy", "log"}[:1+r.below(3)]
	ranged := r.oneIn(2)
	for _, name := range names {
		c.Containers = append(c.Containers, container{name, randomAmounts(r, 6), randomAmounts(r, 4)})
		if ranged || !r.oneIn(6) {
			without := int64(6)
			if ranged {
				without = 0
			}
			c.Recommended = append(c.Recommended, recommended{name, randomAmounts(r, without), randomAmounts(r, without), randomAmounts(r, without)})
		}
	}
	for _, name := range []string{"app", "*"} {
		if r.oneIn(2) {
			values := "RequestsAndLimits"
			if r.oneIn(3) {
				values = "RequestsOnly"
			}
			c.Policies = append(c.Policies, policy{name, zeroOneIn(r, randomAmounts(r, 3)), zeroOneIn(r, randomAmounts(r, 3)), values})
		}
	}
	if r.oneIn(3) {
		c.RecommenderMax = randomAmounts(r, 3)
	}
	if ranged {
		c.PodRange = randomRange(r)
	}
	if r.oneIn(2) {
		c.ContainerRange = randomRange(r)
	}
	return c
}

// zeroOneIn makes some amounts 0, which means no bound.
func zeroOneIn(r *random, a amounts) amounts {
	zero := int64(0)
	if a.CPU != nil && r.oneIn(8) {
		a.CPU = &zero
	}
	return a
}

func randomRange(r *random) *limitRange {
	result := &limitRange{Max: randomAmounts(r, 3), Default: randomAmounts(r, 3)}
	if r.oneIn(2) {
		result.Min = randomAmounts(r, 3)
	}
	return result
}

func (l *limitRange) item() *corev1.LimitRangeItem {
	if l == nil {
		return nil
	}
	return &corev1.LimitRangeItem{Min: l.Min.list(), Max: l.Max.list(), Default: l.Default.list()}
}

// answer fills in what upstream says; false where it fails, which our side does not imitate.
func (c *cappingCase) answer() (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	status := &vpa_types.RecommendedPodResources{}
	for _, one := range c.Recommended {
		status.ContainerRecommendations = append(status.ContainerRecommendations, vpa_types.RecommendedContainerResources{
			ContainerName: one.Name, LowerBound: one.Lower.list(), Target: one.Target.list(), UpperBound: one.Upper.list(),
		})
	}
	policies := &vpa_types.PodResourcePolicy{}
	for _, one := range c.Policies {
		values := vpa_types.ContainerControlledValues(one.ControlledValues)
		policies.ContainerPolicies = append(policies.ContainerPolicies, vpa_types.ContainerResourcePolicy{
			ContainerName: one.Container, MinAllowed: one.MinAllowed.list(), MaxAllowed: one.MaxAllowed.list(), ControlledValues: &values,
		})
	}
	capped, err := api.ApplyVPAPolicy(status, policies, c.RecommenderMax.list())
	check(err)
	c.Capped = recommendedFrom(capped)

	pod := podOf("pod", c.Containers)
	vpa := &vpa_types.VerticalPodAutoscaler{
		Spec:   vpa_types.VerticalPodAutoscalerSpec{ResourcePolicy: policies},
		Status: vpa_types.VerticalPodAutoscalerStatus{Recommendation: capped},
	}
	limits := ranges{c.PodRange.item(), c.ContainerRange.item()}
	fitted, _, err := api.NewCappingRecommendationProcessor(limits).Apply(vpa, pod)
	check(err)
	c.Fitted = recommendedFrom(fitted)
	// What is not named stays as it is, as when a pod is admitted.
	changes := recommendation.GetContainersResources(pod, policies, *fitted, limits.container, false, api.ContainerToAnnotationsMap{})
	for i, one := range c.Containers {
		one.Requests.overlay(amountsFrom(changes[i].Requests))
		one.Limits.overlay(amountsFrom(changes[i].Limits))
		c.Applied = append(c.Applied, one)
	}
	return true
}

func recommendedFrom(list *vpa_types.RecommendedPodResources) []recommended {
	result := []recommended{}
	for _, one := range list.ContainerRecommendations {
		result = append(result, recommended{one.ContainerName, amountsFrom(one.LowerBound), amountsFrom(one.Target), amountsFrom(one.UpperBound)})
	}
	return result
}

func podOf(name string, containers []container) *corev1.Pod {
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace = name, "default"
	for _, one := range containers {
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Name:      one.Name,
			Resources: corev1.ResourceRequirements{Requests: one.Requests.list(), Limits: one.Limits.list()},
		})
	}
	return pod
}
