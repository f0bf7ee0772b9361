#!/usr/bin/env bash
# Installs the real services that the tests of the scalers run against: Debian's packages (as root), Kafka's jars by
# Maven, and moto by pip. Says aloud what is missing and why; a service that cannot be installed is never an error of the whole.
set -uo pipefail
cd "$(dirname "$0")"

cache=${EBB_SERVICES_DIR:-$HOME/.cache/ebb-services}
kafka_version=4.1.0
kafka_jars=$cache/kafka-$kafka_version
moto_version=5.2.5
moto=$cache/moto-$moto_version
maven_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
log=$cache/install.log

# service | Debian package | version that the tests are known to pass with | a file or program that proves it
services='
redis      | redis-server         | 7.0  | redis-server
redis-cli  | redis-tools          | 7.0  | redis-cli
nats       | nats-server          | 2.9  | nats-server
rabbitmq   | rabbitmq-server      | 3.10 | /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server
amqp-tools | amqp-tools           | 0.11 | amqp-publish
prometheus | prometheus           | 2.42 | prometheus
postgres   | postgresql           | 15   | /usr/lib/postgresql/*/bin/postgres
mariadb    | mariadb-server       | 10.11 | /usr/sbin/mariadbd
kcat       | kcat                 | 1.7  | kcat
openssl    | openssl              | 3.0  | openssl
java       | default-jre-headless | 17   | java
maven      | maven                | 3.8  | mvn
python     | python3-venv         | 3.11 | python3
'

declare -A reasons

rows() { # one service a line, without the spaces
  sed -e '/^$/d' -e 's/ *| */|/g' <<<"$services"
}

present() { # program or glob
  if [[ $1 == /* ]]; then compgen -G "$1" >/dev/null; else PATH=$PATH:/usr/sbin:/sbin command -v "$1" >/dev/null; fi
}

missing_packages() {
  local name package tested proof
  while IFS='|' read -r name package tested proof; do
    # Maven is needed for nothing but to bring Kafka's jars.
    if [ "$name" = maven ] && [ -d "$kafka_jars" ]; then continue; fi
    present "$proof" || echo "$package"
  done < <(rows)
}

# Packages start their daemons on install unless this program, which Debian asks, forbids it.
apt_install() { # packages…
  local policy=/usr/sbin/policy-rc.d ours=
  if [ ! -e "$policy" ]; then
    ours=1
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  fi
  apt-get update -qq >>"$log" 2>&1
  # All at once is the fastest; where one of them does not exist, the others are still wanted.
  if ! apt_get "$@"; then
    local package
    for package; do apt_get "$package" || reasons[$package]="apt-get install $package failed, see $log"; done
  fi
  if [ -n "$ours" ]; then
    rm -f "$policy"
    trap - EXIT
  fi
}

apt_get() {
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1
}

install_packages() {
  local packages
  mapfile -t packages < <(missing_packages)
  [ ${#packages[@]} = 0 ] && return
  local why=
  if ! command -v apt-get >/dev/null; then
    why='this system has no apt-get'
  elif [ "$(id -u)" != 0 ]; then
    why='only root may install Debian packages'
  fi
  if [ -n "$why" ]; then
    local package
    for package in "${packages[@]}"; do reasons[$package]="$why"; done
    return
  fi
  echo "services: installing ${packages[*]}"
  apt_install "${packages[@]}"
}

install_kafka() {
  [ -d "$kafka_jars" ] && return
  if ! present java || ! present mvn; then
    reasons[kafka]='it needs java and mvn'
    return
  fi
  echo "services: bringing the jars of Kafka $kafka_version"
  local fresh=$kafka_jars.$$
  if mvn -B -q -C -f kafka/pom.xml "$maven_plugin:copy-dependencies" -DincludeScope=runtime \
    -DoutputDirectory="$fresh" >>"$log" 2>&1; then
    # Renamed when complete: a folder that exists is a whole one.
    mv -T "$fresh" "$kafka_jars" 2>/dev/null || rm -rf "$fresh"
  else
    rm -rf "$fresh"
    reasons[kafka]="Maven could not bring its jars, see $log"
  fi
}

# AWS' interfaces, for the machines of node pools. A virtual environment works wherever it is moved to as long as its python is named.
install_moto() {
  [ -x "$moto/bin/python3" ] && return
  if ! present python3; then
    reasons[moto]='it needs python3'
    return
  fi
  echo "services: bringing moto $moto_version"
  local fresh=$moto.$$
  if python3 -m venv "$fresh" >>"$log" 2>&1 &&
    "$fresh/bin/python3" -m pip install -q --disable-pip-version-check "moto[server]==$moto_version" >>"$log" 2>&1; then
    mv -T "$fresh" "$moto" 2>/dev/null || rm -rf "$fresh"
  else
    rm -rf "$fresh"
    reasons[moto]="pip could not bring it, see $log"
  fi
}

report() {
  local name package tested proof found
  while IFS='|' read -r name package tested proof; do
    if [ "$name" = maven ] && [ -d "$kafka_jars" ]; then
      continue
    elif present "$proof"; then
      # shellcheck disable=SC2016 # the braces are dpkg's
      found=$(dpkg-query -W -f '${Version}' "$package" 2>/dev/null)
      echo "services: $name ${found:-not from the package $package} (tested with $tested)"
    else
      echo "services: MISSING $name: ${reasons[$package]:-"$proof is not there after the installation of $package, see $log"}"
    fi
  done < <(rows)
  if [ -d "$kafka_jars" ]; then
    echo "services: kafka $kafka_version"
  else
    echo "services: MISSING kafka: ${reasons[kafka]}"
  fi
  if [ -x "$moto/bin/python3" ]; then
    echo "services: moto $moto_version"
  else
    echo "services: MISSING moto: ${reasons[moto]}"
  fi
}

mkdir -p "$cache"
# Two installations at once would take away each other's policy-rc.d.
exec 9>"$cache/install.lock"
flock 9
install_packages
install_kafka
install_moto
report
