import type { Driver } from '@ebb/core';
import type { TargetDriver } from '../advice/modeDriver.ts';

/** All of a driver of replicas passed on, for one that does a part of it in another way. */
export function forwarded(inner: Driver): Driver {
  return {
    ...(inner.measuresPods ? { measuresPods: true } : {}),
    ...(inner.found ? { found: inner.found } : {}),
    ensure: (start) => inner.ensure(start),
    stop: (id) => inner.stop(id),
    planned: (workload, replicas) => inner.planned?.(workload, replicas),
    list: () => inner.list(),
    watch: (listener) => inner.watch(listener),
    logs: (query) => inner.logs(query),
    close: () => inner.close(),
  };
}

/** The same of a driver of targets. */
export function forwardedTargets(inner: TargetDriver): TargetDriver {
  return {
    ...forwarded(inner),
    found: inner.found,
    expect: (workload, found, mode) => inner.expect(workload, found, mode),
    manage: (reference, state, mode) => inner.manage(reference, state, mode),
    release: (workload) => inner.release(workload),
  };
}
