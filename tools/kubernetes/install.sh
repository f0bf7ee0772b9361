#!/usr/bin/env bash
# Builds a Kubernetes API for the tests of the kubernetes tier: etcd, kube-apiserver, kube-controller-manager and
# kube-scheduler, KWOK in place of kubelets, Helm for the test of the chart, and Karpenter with machines of KWOK. Each is a tool dependency of a small Go module beside this file, so that
# go.sum pins every source. Says aloud what is missing and why; something that cannot be built is never an error of the whole.
# KEDA's own definitions come from its module as they are. For real pods it builds the kubelet and a small server, and as root brings containerd and runc by Debian's packages.
#
# Needs Go and a way to Go's module proxy, once: what is built is kept by its version, and a second run is instant.
set -uo pipefail
cd "$(dirname "$0")"

cache=${EBB_KUBERNETES_DIR:-$HOME/.cache/ebb-kubernetes}
build_limit=${EBB_KUBERNETES_BUILD_LIMIT:-40m}
log=$cache/install.log

# The one place of each version is the go.mod.
version_of() { # folder module
  awk -v module="$2" '$1 == "require" && $2 == module { print $3; exit } $1 == module && $2 ~ /^v/ { print $2; exit }' "$1/go.mod"
}
etcd_version=$(version_of etcd go.etcd.io/etcd/server/v3)
kubernetes_version=$(version_of control-plane k8s.io/kubernetes)
kwok_version=$(version_of kwok sigs.k8s.io/kwok)
helm_version=$(version_of helm helm.sh/helm/v3)
karpenter_version=$(version_of karpenter sigs.k8s.io/karpenter)
keda_version=v2.21.0
keda_sum=h1:R6z2HZvstK4RLUMxroNACzBj74xGxt3kG59b5Xc+Xps=

etcd=$cache/etcd-${etcd_version#v}
kubernetes=$cache/kubernetes-${kubernetes_version#v}
kwok=$cache/kwok-${kwok_version#v}
helm=$cache/helm-${helm_version#v}
karpenter=$cache/karpenter-${karpenter_version#v}
keda=$cache/keda-${keda_version#v}
kubelet=$cache/kubelet-${kubernetes_version#v}
# By what it is made of: it has no version.
real_pod=$cache/real-pod-$(cat real-pod/go.mod real-pod/main.go | sha256sum | cut -c1-12)

# The servers refuse to run without knowing their own version, which their makefiles put in.
IFS=. read -r major minor _ <<<"${kubernetes_version#v}"
component=k8s.io/component-base/version
kubernetes_flags="-X $component.gitVersion=$kubernetes_version -X $component.gitMajor=$major -X $component.gitMinor=$minor"

find_go() {
  local candidate
  for candidate in go /usr/local/go/bin/go /usr/lib/go/bin/go; do
    command -v "$candidate" && return 0
  done
  return 1
}

reason() { # name, text
  printf '%s\n' "$2" >"$cache/$1.reason"
}

# Builds a module's tools into a folder that exists only when it is whole.
build() { # name, module folder, target folder, linker flags, packages…
  local name=$1 module=$2 target=$3 flags=$4
  shift 4
  [ -d "$target" ] && return 0
  local fresh=$target.$$ output=$cache/$name.log started=$SECONDS status
  mkdir -p "$fresh"
  echo "kubernetes: building $name"
  (cd "$module" && timeout "$build_limit" "$go" build -mod=readonly -trimpath -buildvcs=false "-modfile=${modfile:-}" -ldflags "-s -w $flags" -o "$fresh/" "$@") \
    >"$output" 2>&1
  status=$?
  cat "$output" >>"$log"
  if [ $status = 0 ] && also_"$name" "$module" "$fresh" >>"$log" 2>&1 && mv -T "$fresh" "$target" 2>>"$log"; then
    echo "kubernetes: built $name in $((SECONDS - started)) s"
    return 0
  fi
  rm -rf "$fresh"
  if [ $status = 124 ]; then
    reason "$name" "go had not built it within $build_limit"
  else
    reason "$name" "go could not build it, see $log: $(grep -v '^go: downloading' "$output" | tail -1)"
  fi
}

also_etcd() { # module folder, target
  # Named after the last part of its module's path, which is a version.
  [ -x "$2/etcd" ] || mv "$2/server" "$2/etcd"
}

also_kubernetes() { :; }

also_helm() { :; }

also_kubelet() { :; }

also_real_pod() { :; }

# The stages say what a fake kubelet answers: nodes with leases, pods that are ready at once.
also_kwok() { # module folder, target
  local source
  source=$(cd "$1" && "$go" list -m -f '{{.Dir}}' sigs.k8s.io/kwok) || return 1
  local part
  for part in "$source"/kustomize/stage/node/fast/node-initialize.yaml \
    "$source"/kustomize/stage/node/heartbeat-with-lease/*heartbeat*.yaml \
    "$source"/kustomize/stage/pod/fast/pod-*.yaml; do
    [ -s "$part" ] || return 1
    echo ---
    cat "$part"
    echo
  done >"$2/stages.yaml"
}

# Karpenter's ports listen on every address of a machine, and no flag says otherwise: in a copy of its source they are those of this machine alone.
karpenter_source() {
  local source copy=$cache/karpenter-source
  source=$(cd karpenter && "$go" mod download sigs.k8s.io/karpenter && "$go" list -m -f '{{.Dir}}' sigs.k8s.io/karpenter) || return 1
  rm -rf "$copy" && cp -r "$source" "$copy" && chmod -R u+w "$copy" || return 1
  sed -i 's/fmt.Sprintf(":%d"/fmt.Sprintf("127.0.0.1:%d"/' "$copy/pkg/operator/operator.go"
  [ "$(grep -c '"127.0.0.1:%d"' "$copy/pkg/operator/operator.go")" = 2 ] || return 1
  cp karpenter/go.mod "$cache/karpenter.mod" && cp karpenter/go.sum "$cache/karpenter.sum" &&
    (cd karpenter && "$go" mod edit -replace "sigs.k8s.io/karpenter=$copy" "$cache/karpenter.mod")
}

also_karpenter() { # module folder, target
  local source=$cache/karpenter-source
  # Named after its folder, as the fake kubelets are.
  mv "$2/kwok" "$2/karpenter" && mkdir "$2/kinds" && cp "$source"/pkg/apis/crds/*.yaml "$source"/kwok/apis/crds/*.yaml "$2/kinds/" &&
    rm -rf "$source" "$cache"/karpenter.{mod,sum}
}

# Nothing is built: its definitions are what its users have in their clusters.
fetch_keda() {
  [ -d "$keda" ] && return 0
  local found source fresh=$keda.$$
  echo "kubernetes: fetching the definitions of KEDA"
  if ! found=$(cd karpenter && "$go" mod download -json "github.com/kedacore/keda/v2@$keda_version" 2>>"$log"); then
    reason keda "its module could not be downloaded, see $log"
  elif ! grep -q "\"Sum\": \"$keda_sum\"" <<<"$found"; then
    reason keda "its module is not the one that is known: the sum is another"
  else
    source=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$found")
    mkdir -p "$fresh" && cp "$source"/config/crd/bases/keda.sh_*.yaml "$fresh/" && chmod -R u+w "$fresh" && mv -T "$fresh" "$keda"
  fi
}

report() { # name, version, target
  if [ -d "$3" ]; then
    echo "kubernetes: $1 ${2#v}"
  else
    echo "kubernetes: MISSING $1: $(cat "$cache/$1.reason" 2>/dev/null || echo "it was not built, see $log")"
  fi
}

all_built() {
  local folder
  for folder in "$etcd" "$kubernetes" "$kwok" "$helm" "$kubelet" "$real_pod" "$karpenter" "$keda"; do [ -d "$folder" ] || return 1; done
}

# What runs the containers of real pods, and what gives their node an address. Packages start their daemons on install unless this program, which Debian asks, forbids it.
install_containers() {
  command -v containerd >/dev/null && command -v runc >/dev/null && command -v ip >/dev/null && return
  if ! command -v apt-get >/dev/null; then
    reason containerd 'containerd, runc or ip are not installed, and this system has no apt-get'
  elif [ "$(id -u)" != 0 ]; then
    reason containerd 'containerd, runc or ip are not installed, and only root may install Debian packages'
  else
    local policy=/usr/sbin/policy-rc.d ours=
    if [ ! -e "$policy" ]; then
      ours=1
      printf '#!/bin/sh\nexit 101\n' >"$policy"
      chmod 755 "$policy"
    fi
    echo 'kubernetes: installing containerd, runc and iproute2'
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends containerd runc iproute2; } >>"$log" 2>&1 ||
      reason containerd "apt-get install containerd runc iproute2 failed, see $log"
    [ -n "$ours" ] && rm -f "$policy"
  fi
}

mkdir -p "$cache"
# Two builds at once would do everything twice.
exec 9>"$cache/install.lock"
flock 9
rm -f "$cache"/*.reason
if ! all_built; then
  if go=$(find_go); then
    echo "kubernetes: with $("$go" version 2>/dev/null | cut -d' ' -f3) (about twenty minutes of one core, once)"
    # Beside one another, since linking uses one core only.
    {
      build etcd etcd "$etcd" '' go.etcd.io/etcd/server/v3
      build kwok kwok "$kwok" '' sigs.k8s.io/kwok/cmd/kwok
      build helm helm "$helm" '' helm.sh/helm/v3/cmd/helm
    } 9>&- &
    build kubernetes control-plane "$kubernetes" "$kubernetes_flags" \
      k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kube-controller-manager k8s.io/kubernetes/cmd/kube-scheduler
    build kubelet control-plane "$kubelet" "$kubernetes_flags" k8s.io/kubernetes/cmd/kubelet
    CGO_ENABLED=0 build real_pod real-pod "$real_pod" '' .
    if [ ! -d "$karpenter" ] && karpenter_source >>"$log" 2>&1; then
      modfile=$cache/karpenter.mod build karpenter karpenter "$karpenter" '' sigs.k8s.io/karpenter/kwok
    elif [ ! -d "$karpenter" ]; then
      reason karpenter "its ports could not be put on 127.0.0.1, see $log"
    fi
    fetch_keda
    wait
  else
    for name in etcd kubernetes kwok helm kubelet real_pod karpenter keda; do
      reason "$name" 'it is built by Go, which is not installed here (https://go.dev/dl)'
    done
  fi
fi
report etcd "$etcd_version" "$etcd"
report kubernetes "$kubernetes_version" "$kubernetes"
report kwok "$kwok_version" "$kwok"
report helm "$helm_version" "$helm"
report kubelet "$kubernetes_version" "$kubelet"
report real_pod "${real_pod##*-}" "$real_pod"
report karpenter "$karpenter_version" "$karpenter"
report keda "$keda_version" "$keda"
install_containers
if command -v containerd >/dev/null && command -v runc >/dev/null; then
  echo "kubernetes: containerd $(containerd --version | cut -d' ' -f3), runc $(runc --version | sed -n '1s/.* //p') (tested with 1.6.20 and 1.1.5)"
else
  echo "kubernetes: MISSING containerd: $(cat "$cache/containerd.reason")"
fi
