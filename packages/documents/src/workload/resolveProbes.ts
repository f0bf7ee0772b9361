import type { ProbeDocument, ProbesDocument } from './probes.ts';
import type { Probe, ProbeAction, WorkloadSpec } from './resolved.ts';

/** Fills in the actions: startup and readiness lend each other theirs, and tcp is what remains. */
export function resolveProbes({ startup, readiness, liveness }: ProbesDocument): WorkloadSpec['probes'] {
  const startupAction = actionOf(startup);
  const readinessAction = actionOf(readiness);
  const tcp: ProbeAction = { type: 'tcp' };
  return {
    startup: {
      action: startupAction ?? readinessAction ?? tcp,
      timeoutMs: startup.timeout,
      budgetMs: startup.budget,
    },
    readiness: resolveProbe(readiness, readinessAction ?? startupAction ?? tcp),
    liveness: liveness ? resolveProbe(liveness, actionOf(liveness) ?? tcp) : null,
  };
}

function actionOf(probe: Pick<ProbeDocument, 'http' | 'tcp' | 'exec'>): ProbeAction | null {
  if (probe.http) return { type: 'http', ...probe.http };
  if (probe.exec) return { type: 'exec', command: probe.exec.command };
  return probe.tcp ? { type: 'tcp' } : null;
}

function resolveProbe(probe: ProbeDocument, action: ProbeAction): Probe {
  return {
    action,
    periodMs: probe.period,
    timeoutMs: probe.timeout,
    successThreshold: probe.successThreshold,
    failureThreshold: probe.failureThreshold,
  };
}
