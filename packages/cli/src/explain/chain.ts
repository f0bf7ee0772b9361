import type { Explanation } from '@ebb/client';
import type { Observation } from '@ebb/core';
import type { ReplayStep } from '@ebb/engine';
import { countText, durationText } from '../text/format.ts';

export interface ChainLine {
  stage: string;
  sentence: string;
}

/**
 * The whole chain from what was observed to what was granted, every step with its numbers: the recorded reasons, and for
 * steps that changed nothing the numbers they had before them. Without the inputs only the reasons.
 */
export function chainOf(explanation: Explanation, inputs: ReplayStep | null): ChainLine[] {
  if (!inputs || inputs.spec.policy !== 'windows') {
    return [...(inputs ? observedLines(inputs.observation) : []), ...explanation.lines];
  }
  const { scaling } = inputs.spec;
  const { replicas, reasons } = inputs.decision;
  const of = (stage: string) => explanation.lines.filter((line) => line.stage === stage);
  const orElse = (stage: string, sentence: string): ChainLine[] => {
    const lines = of(stage);
    return lines.length > 0 ? lines : [{ stage, sentence }];
  };
  const asked = reasons.filter(({ stage }) => stage === 'recommendation').map(({ data }) => Number(data.replicas));
  const combined = asked.length > 1 ? `The most of them counts: ${countText(Math.max(...asked), 'replica')}.` : null;
  // While nobody is here the gate starts no more than there are, whatever the windows remember.
  const idle = reasons.some(({ code }) => code === 'gate-keeps-alive') && Math.max(0, ...asked) > replicas;
  const startsNone: ChainLine[] =
    idle && of('behavior').length + of('bounds').length === 0
      ? [{ stage: 'gate', sentence: `Nobody is here, so no more are started: ${countText(replicas, 'replica')}.` }]
      : [];
  const granted = grantedReplicas(explanation);
  return [
    ...observedLines(inputs.observation),
    ...of('reading'),
    ...orElse('recommendation', 'Nothing is measured or waits: 0 replicas.'),
    ...(combined === null || of('combine').length > 0 ? of('combine') : [{ stage: 'combine', sentence: combined }]),
    ...of('forecast'),
    ...of('gate'),
    ...startsNone,
    ...orElse('behavior', 'No rule changed it.'),
    ...orElse('bounds', `Within ${scaling.minReplicas} and ${scaling.maxReplicas}: ${countText(replicas, 'replica')}.`),
    ...(granted === null ? of('grant') : orElse('grant', `Granted: ${countText(granted, 'replica')}.`)),
  ];
}

function observedLines({ classes, readings, countsKnown, keda }: Observation): ChainLine[] {
  const seen = Object.entries(classes).map(([name, { ready, starting, draining, failed, inFlight, held }]) => {
    const counts = { ready, starting, draining, failed, 'in flight': inFlight, held };
    const known = Object.entries(counts).filter(([word, count]) => count > 0 || word === 'ready' || word === 'held');
    return `${name}: ${known.map(([word, count]) => `${count} ${word}`).join(', ')}${countsKnown ? '' : ' (gateway silent)'}.`;
  });
  const read = readings.map(({ trigger, class: className, value, spanMs, state }) => {
    const name = className === null || className === 'default' ? trigger : `${trigger}/${className}`;
    if (value === null) return `${name}: ${state}.`;
    const over = spanMs > 0 ? ` on average over ${durationText(spanMs)}` : '';
    return `${name}: ${Math.round(value * 1000) / 1000}${over}${state === 'ok' ? '' : ` (${state})`}.`;
  });
  const triggers = Object.entries(keda?.readings ?? {}).map(([name, reading]) =>
    'error' in reading ? `${name}: ${reading.error}.` : `${name}: ${Math.round(reading.value * 1000) / 1000}.`,
  );
  return [...seen, ...read, ...triggers].map((sentence) => ({ stage: 'reading', sentence }));
}

function grantedReplicas({ grant }: Explanation): number | null {
  const body = grant?.body;
  if (typeof body !== 'object' || body === null || !('grant' in body)) return null;
  const given = body.grant;
  if (typeof given !== 'object' || given === null || !('classes' in given)) return null;
  const { classes } = given;
  if (typeof classes !== 'object' || classes === null) return null;
  return Object.values(classes).reduce(
    (sum: number, count: unknown) => sum + (typeof count === 'number' ? count : 0),
    0,
  );
}
