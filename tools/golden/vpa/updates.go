package main

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"

	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/admission-controller/resource/pod/patch"
	vpa_types "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/apis/autoscaling.k8s.io/v1"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/features"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/priority"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/restriction"
	"k8s.io/autoscaler/vertical-pod-autoscaler/pkg/updater/utils"
	api "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/utils/vpa"
)

type updatePod struct {
	Name       string      `json:"name"`
	Group      string      `json:"group"`
	Pending    bool        `json:"pending,omitempty"`
	AgeMs      int64       `json:"ageMs"`
	Containers []container `json:"containers"`
	// Index of the container that ran out of memory, how long it had run, and how long ago it was; -1: none.
	OomOf    int   `json:"oomOf"`
	OomRanMs int64 `json:"oomRanMs,omitempty"`
	OomAgoMs int64 `json:"oomAgoMs,omitempty"`
	// "", infeasible, deferred, inProgress or error; all but infeasible and error have only just begun.
	Resize  string `json:"resize,omitempty"`
	Refused bool   `json:"refused,omitempty"`
}

type requirement struct {
	Resources []string `json:"resources"`
	Change    string   `json:"changeRequirement"`
}

type updateCase struct {
	Mode         string           `json:"mode"`
	MinReplicas  *int32           `json:"minReplicas"`
	SkipsBudget  bool             `json:"skipsBudget"`
	Requirements []requirement    `json:"requirements"`
	Groups       map[string]int32 `json:"groups"`
	Recommended  []recommended    `json:"recommended"`
	// What was refused before, for the pods that say so.
	Refused []recommended `json:"refused"`
	Pods    []updatePod   `json:"pods"`
	// Pod and what is done to it, in order.
	Actions [][2]string `json:"actions"`
}

func updatesOf(r *random, count int) []updateCase {
	check(features.MutableFeatureGate.Set("InPlace=true"))
	cases := []updateCase{}
	for range count {
		c := randomUpdate(r)
		c.answer()
		cases = append(cases, c)
	}
	return cases
}

func randomUpdate(r *random) updateCase {
	modes := []string{"Recreate", "Recreate", "Auto", "InPlaceOrRecreate", "InPlaceOrRecreate", "InPlace", "InPlace"}
	c := updateCase{Mode: modes[r.below(int64(len(modes)))], Groups: map[string]int32{}, Requirements: []requirement{}, Actions: [][2]string{}}
	if r.oneIn(4) {
		least := int32(1 + r.below(3))
		c.MinReplicas = &least
	}
	c.SkipsBudget = r.oneIn(4)
	if r.oneIn(4) {
		resources := [][]string{{"cpu"}, {"memory"}, {"cpu", "memory"}}[r.below(3)]
		c.Requirements = append(c.Requirements, requirement{resources, []string{"TargetHigherThanRequests", "TargetLowerThanRequests"}[r.below(2)]})
	}
	for _, name := range []string{"app", "proxy"} {
		target, less := randomAmounts(r, 0), randomAmounts(r, 0)
		c.Refused = append(c.Refused, recommended{Name: name, Target: less})
		c.Recommended = append(c.Recommended, recommended{name, scaled(target, 60), target, scaled(target, 180)})
	}
	for group := range 1 + r.below(2) {
		name := fmt.Sprintf("g%d", group)
		count := 1 + r.below(4)
		c.Groups[name] = int32(count + r.below(5)/4)
		for i := range count {
			c.Pods = append(c.Pods, randomPod(r, &c, fmt.Sprintf("%s-%d", name, i), name))
		}
	}
	return c
}

func randomPod(r *random, c *updateCase, name, group string) updatePod {
	pod := updatePod{Name: name, Group: group, Pending: r.oneIn(8), AgeMs: r.below(86_400_000), OomOf: -1}
	for _, one := range c.Recommended {
		requests := randomAmounts(r, 12)
		if r.oneIn(2) {
			requests = scaled(one.Target, 85+r.below(30))
		}
		if r.oneIn(8) {
			requests = one.Target
		}
		pod.Containers = append(pod.Containers, container{Name: one.Name, Requests: requests})
	}
	if r.oneIn(5) {
		pod.OomOf = int(r.below(2))
		pod.OomRanMs = r.below(1_200_000)
		pod.OomAgoMs = r.below(1_200_000)
	}
	if c.Mode != "Recreate" && c.Mode != "Auto" {
		pod.Resize = []string{"", "", "", "", "infeasible", "deferred", "inProgress", "error"}[r.below(8)]
		pod.Refused = r.oneIn(5)
	}
	return pod
}

func scaled(a amounts, percent int64) amounts {
	cpu, memory := *a.CPU*percent/100, *a.Memory*percent/100
	return amounts{&cpu, &memory}
}

// The round below is the updater's: its parts are upstream's, their order is restated here.
func (c *updateCase) answer() {
	now := time.Now()
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, &corev1.Pod{}, nil })
	client.PrependReactor("patch", "pods", func(clienttesting.Action) (bool, runtime.Object, error) { return true, &corev1.Pod{}, nil })
	factory := informers.NewSharedInformerFactory(client, 0)
	for name, replicas := range c.Groups {
		set := &appsv1.ReplicaSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}, Spec: appsv1.ReplicaSetSpec{Replicas: &replicas}}
		check(factory.Apps().V1().ReplicaSets().Informer().GetStore().Add(set))
	}
	vpa := c.vpa(c.Recommended)
	refused := map[types.UID]*vpa_types.RecommendedPodResources{}
	pods := []*corev1.Pod{}
	for _, one := range c.Pods {
		pod := one.pod(now)
		pods = append(pods, pod)
		if one.Refused {
			refused[pod.UID] = c.vpa(c.Refused).Status.Recommendation
		}
	}
	restrictions := restriction.NewPodsRestrictionFactory(client, factory, 2, 0.5, []patch.Calculator{anyPatch{}}, c.SkipsBudget)
	groups, byPod, err := restrictions.GetCreatorMaps(pods, vpa)
	check(err)
	evictions := restrictions.NewPodsEvictionRestriction(groups, byPod)
	resizes := restrictions.NewPodsInPlaceRestriction(groups, byPod)
	recorder := record.NewFakeRecorder(1000)
	order := func(pods []*corev1.Pod) []*corev1.Pod {
		calculator := priority.NewUpdatePriorityCalculator(vpa,
			priority.UpdateConfig{MinChangePriority: 0.1, PodLifetimeUpdateThreshold: 12 * time.Hour, EvictAfterOOMThreshold: 10 * time.Minute},
			api.NewCappingRecommendationProcessor(ranges{}), priority.NewProcessor())
		for _, pod := range pods {
			calculator.AddPod(pod, now, refused)
		}
		admission := priority.NewScalingDirectionPodEvictionAdmission()
		admission.LoopInit(nil, map[*vpa_types.VerticalPodAutoscaler][]*corev1.Pod{vpa: pods})
		return calculator.GetSortedPods(admission)
	}
	only := c.Mode == "InPlace"
	toEvict := []*corev1.Pod{}
	if only || c.Mode == "InPlaceOrRecreate" {
		possible := []*corev1.Pod{}
		for _, pod := range pods {
			switch resizes.CanInPlaceUpdate(pod, vpa, refused) {
			case utils.InPlaceApproved:
				possible = append(possible, pod)
			case utils.InPlaceInfeasible, utils.InPlaceDeferred:
				if only {
					possible = append(possible, pod)
				}
			case utils.InPlaceEvict:
				if !only {
					possible = append(possible, pod)
				}
			}
		}
		for _, pod := range order(possible) {
			decision := resizes.CanInPlaceUpdate(pod, vpa, refused)
			if decision == utils.InPlaceEvict {
				toEvict = append(toEvict, pod)
				continue
			}
			if decision == utils.InPlaceInfeasibleCached || (decision == utils.InPlaceDeferred && !only) {
				continue
			}
			if resizes.InPlaceUpdate(pod, vpa, recorder) != nil {
				continue
			}
			action := "resize"
			if decision == utils.InPlaceInfeasible {
				action = "resize after refusal"
			}
			c.Actions = append(c.Actions, [2]string{pod.Name, action})
		}
	} else {
		for _, pod := range pods {
			if evictions.CanEvict(pod) {
				toEvict = append(toEvict, pod)
			}
		}
		toEvict = order(toEvict)
	}
	for _, pod := range toEvict {
		if evictions.CanEvict(pod) && evictions.Evict(pod, vpa, recorder) == nil {
			c.Actions = append(c.Actions, [2]string{pod.Name, "evict"})
		}
	}
}

func (c *updateCase) vpa(list []recommended) *vpa_types.VerticalPodAutoscaler {
	mode := vpa_types.UpdateMode(c.Mode)
	vpa := &vpa_types.VerticalPodAutoscaler{}
	vpa.Spec.UpdatePolicy = &vpa_types.PodUpdatePolicy{UpdateMode: &mode, MinReplicas: c.MinReplicas}
	for _, one := range c.Requirements {
		item := &vpa_types.EvictionRequirement{ChangeRequirement: vpa_types.EvictionChangeRequirement(one.Change)}
		for _, resource := range one.Resources {
			item.Resources = append(item.Resources, corev1.ResourceName(resource))
		}
		vpa.Spec.UpdatePolicy.EvictionRequirements = append(vpa.Spec.UpdatePolicy.EvictionRequirements, item)
	}
	vpa.Status.Recommendation = &vpa_types.RecommendedPodResources{}
	for _, one := range list {
		vpa.Status.Recommendation.ContainerRecommendations = append(vpa.Status.Recommendation.ContainerRecommendations,
			vpa_types.RecommendedContainerResources{ContainerName: one.Name, LowerBound: one.Lower.list(), Target: one.Target.list(), UpperBound: one.Upper.list()})
	}
	return vpa
}

func (p *updatePod) pod(now time.Time) *corev1.Pod {
	pod := podOf(p.Name, p.Containers)
	isController := true
	pod.UID = types.UID(p.Name)
	pod.OwnerReferences = []metav1.OwnerReference{{Kind: "ReplicaSet", Name: p.Group, Controller: &isController}}
	started := metav1.NewTime(now.Add(-time.Duration(p.AgeMs) * time.Millisecond))
	pod.Status.StartTime = &started
	pod.Status.Phase = corev1.PodRunning
	if p.Pending {
		pod.Status.Phase = corev1.PodPending
	}
	if p.OomOf >= 0 {
		finished := now.Add(-time.Duration(p.OomAgoMs) * time.Millisecond)
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{
			Name: p.Containers[p.OomOf].Name,
			LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
				Reason:     "OOMKilled",
				StartedAt:  metav1.NewTime(finished.Add(-time.Duration(p.OomRanMs) * time.Millisecond)),
				FinishedAt: metav1.NewTime(finished),
			}},
		}}
	}
	condition := corev1.PodCondition{Status: corev1.ConditionTrue}
	switch p.Resize {
	case "infeasible":
		condition.Type, condition.Reason = corev1.PodResizePending, corev1.PodReasonInfeasible
	case "deferred":
		condition.Type, condition.Reason = corev1.PodResizePending, corev1.PodReasonDeferred
	case "inProgress":
		condition.Type = corev1.PodResizeInProgress
	case "error":
		condition.Type, condition.Reason = corev1.PodResizeInProgress, corev1.PodReasonError
	default:
		return pod
	}
	pod.Status.Conditions = []corev1.PodCondition{condition}
	return pod
}

// anyPatch stands for the change of size; what it says is not looked at.
type anyPatch struct{}

func (anyPatch) CalculatePatches(*corev1.Pod, *vpa_types.VerticalPodAutoscaler) ([]resource.PatchRecord, error) {
	return []resource.PatchRecord{{Op: "add", Path: "/spec", Value: 1}}, nil
}

func (anyPatch) PatchResourceTarget() patch.PatchResourceTarget { return patch.Resize }
