import type { SystemStatus } from '@ebb/documents';
import { gpusStatus } from '../machineGpus.ts';
import type { ApiContext } from './context.ts';

export function systemStatus({
  version,
  clock,
  startedAt,
  engine,
  gateway,
  agent,
  machine,
  dataDirectory,
}: ApiContext): SystemStatus {
  return {
    version,
    at: clock.nowMs(),
    startedAt,
    gateway: gateway(),
    agent: agent(),
    workloads: engine.statuses(),
    scaledJobs: engine.scaledJobs(),
    dataDirectory,
    ...(machine ? { gpus: gpusStatus(machine()) } : {}),
  };
}
