import type { Probe, ProbeAction } from '@ebb/documents';

/**
 * When the live driver acts on a probe of a replica that hangs: it asks each period from when the replica got ready, waits
 * for each answer until the timeout, and believes so many noes in a row. Null: it never does, since a probe that only
 * connects is accepted by the machine, not by the process. Whole microseconds.
 */
export function noticedAtUs(probe: Probe, readyUs: number, hangsUs: number): number | null {
  const { action, periodMs, timeoutMs, failureThreshold } = probe;
  if (action.type === 'tcp') return null;
  const periodUs = periodMs * 1000;
  const asked = Math.max(1, Math.ceil((hangsUs - readyUs) / periodUs));
  const firstUs = readyUs + asked * periodUs;
  return firstUs + failureThreshold * timeoutMs * 1000 + (failureThreshold - 1) * periodUs;
}

/** What the live driver says of such a no. */
export function noAnswerText({ action, timeoutMs }: Probe): string {
  return `${asksText(action)} within ${timeoutMs} ms`;
}

function asksText(action: ProbeAction): string {
  switch (action.type) {
    case 'http':
      return `GET ${action.path}: no answer`;
    case 'exec':
      return `${action.command[0] ?? ''}: not finished`;
    case 'tcp':
      return 'connection: no answer';
  }
}
