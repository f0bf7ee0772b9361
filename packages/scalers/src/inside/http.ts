import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, integer, number, text } from '../contract/parameter.ts';
import type { Pace, SourceReading, TriggerSource } from '../contract/source.ts';

/** Requests may come by the thousand in a second: they are followed at most this often. */
const newsGapMs = 20;

type News = Parameters<NonNullable<TriggerSource['watch']>>[0];

/** Ebb's own trigger by requests, with the settings of KEDA's http-add-on. */
export const http = defineScaler({
  type: 'http',
  summary: "Requests that Ebb's gateway serves and holds for a workload.",
  parameters: {
    scalingMetric: choice(['concurrency', 'requestRate'], {
      default: 'concurrency',
      description: '`concurrency`: requests in flight and held, mean of the window; `requestRate`: arrivals a second.',
    }),
    targetValue: number({
      default: 100,
      moreThan: 0,
      description: 'Requests, or requests a second, for each replica.',
    }),
    activationTargetValue: number({ default: 0, min: 0, description: 'It is active above this.' }),
    window: integer({ default: 60, min: 1, max: 3600, description: 'Seconds that the mean is taken over.' }),
    workload: text({ description: 'Workload whose requests count. Left out: the name of this object.' }),
  },
  target: ({ targetValue, activationTargetValue }) => ({
    target: targetValue,
    activationTarget: activationTargetValue,
  }),
  metricName: ({ scalingMetric }) => `http-${scalingMetric}`,
  open({ scalingMetric, activationTargetValue, window, workload }, { inside, object }) {
    const name = workload ?? object.name;
    const read = (): SourceReading => {
      const requests = inside.requests(name, window * 1000);
      if (!requests) throw new SourceError('not-found', `the gateway knows no workload ${name} in ${object.namespace}`);
      const value = requests[scalingMetric];
      return { value, active: value > activationTargetValue };
    };
    return {
      read: async () => read(),
      watch: (news, pace) => follow((listener) => inside.watch(name, listener), read, news, pace),
      close: async () => {},
    };
  },
  example: `type: http
metadata:
  scalingMetric: concurrency
  targetValue: "10"`,
  documentation: {
    reaction: 'Pushed: the arrival of a request at zero wakes it at once.',
    rights: 'None.',
    notes: [
      'Held requests count, so that a workload at zero is asked for by the first one.',
      'Means go down while nothing happens, so the value is also read at its pace.',
    ],
  },
});

/** Tells at once when counts changed, then at most once in a gap, and at the pace in any case. */
function follow(
  listen: (listener: () => void) => () => void,
  read: () => SourceReading,
  news: News,
  pace: Pace,
): () => void {
  let gap: NodeJS.Timeout | undefined;
  let round: NodeJS.Timeout | undefined;
  let isMissed = false;
  const tell = () => {
    clearTimeout(round);
    round = setTimeout(tell, pace.intervalMs);
    let reading: SourceReading | Error;
    try {
      reading = read();
    } catch (error) {
      reading = error instanceof SourceError ? error : new SourceError('bad-answer', String(error));
    }
    news(reading);
  };
  const changed = () => {
    if (gap !== undefined) {
      isMissed = true;
      return;
    }
    gap = setTimeout(() => {
      gap = undefined;
      if (!isMissed) return;
      isMissed = false;
      changed();
    }, newsGapMs);
    tell();
  };
  const stop = listen(changed);
  round = setTimeout(tell, pace.intervalMs);
  return () => {
    stop();
    clearTimeout(gap);
    clearTimeout(round);
  };
}
