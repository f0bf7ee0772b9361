import { formatDuration, parseDuration } from '@ebb/documents';
import { minimumOf, PolicyNameError, type RehearsalPolicy, refuse, withScaling } from './policy.ts';

const longestMs = 3_600_000;

/**
 * Replicas for what is in the system right now, each level kept for a fixed time after it was last needed: windows that
 * never panic, and the largest recommendation of the time on the way down.
 */
export const keepAlive: RehearsalPolicy = {
  name: 'keepalive',
  summary: 'each replica is kept for a fixed time after it was last needed; minN: minimum',
  example: 'keepalive:10m',
  documents: (base, [lengthText, ...parameters], settings) => {
    const lengthMs = lengthText === undefined ? null : durationMs(lengthText);
    if (lengthMs === null || lengthMs > longestMs) {
      const found = lengthText ?? 'nothing';
      throw new PolicyNameError(
        `policy keepalive: needs a length up to ${formatDuration(longestMs)}, as in keepalive:10m; found ${found}`,
      );
    }
    let minReplicas = 0;
    for (const parameter of parameters) {
      const min = minimumOf(parameter);
      if (min === null) refuse('keepalive', parameter, 'minN behind the length');
      else minReplicas = min;
    }
    const length = formatDuration(lengthMs);
    return [
      withScaling(base, settings, {
        minReplicas,
        windows: { stable: '2s', panic: '1s', panicThreshold: 1000, maxScaleDownRate: 1_000_000, targetUtilization: 1 },
        triggers: [{ type: 'concurrency', target: settings.model.concurrency }],
        // The window holds the last replica as well; a keep-alive would come on top of it.
        keepAlive: '0s',
        behavior: { scaleDown: { stabilizationWindow: length } },
      }),
    ];
  },
};

function durationMs(text: string): number | null {
  const parsed = parseDuration(text);
  return 'error' in parsed ? null : parsed.value;
}
