import type { Trace } from '../contract/trace.ts';
import type { GeneratedLoad } from './generatedTrace.ts';
import { mmpp } from './mmpp.ts';

/** Bursts and silence, each of exponential length. */
export function onOff(load: GeneratedLoad & { ratePerSecond: number; onSeconds: number; offSeconds: number }): Trace {
  const { ratePerSecond, onSeconds, offSeconds } = load;
  const states = [
    { ratePerSecond, meanSeconds: onSeconds },
    { ratePerSecond: 0, meanSeconds: offSeconds },
  ];
  const description = `${ratePerSecond} a second for ${onSeconds} s, then nothing for ${offSeconds} s, on average`;
  return { ...mmpp({ ...load, states }), name: 'on-off', description, workloads: ['on-off'] };
}
