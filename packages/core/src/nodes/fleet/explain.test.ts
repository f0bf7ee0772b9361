import { expect, it } from 'vitest';
import { fleetSentence } from './explain.ts';
import type { FleetReason } from './types.ts';

const node = 'local-1-7';
const offering = 'aws/eu-west-1/a/g5.xlarge/spot';
const pricePerHourMicro = 402_000;
const told: [FleetReason, string][] = [
  [
    { code: 'bought', node, pool: 'gpu', offering, pricePerHourMicro, pods: 3, gap: 0.0171 },
    `Bought node ${node} (${offering}, 0.402 an hour) in pool gpu for 3 pods, within 1.71 % of the cheapest plan.`,
  ],
  [
    { code: 'warm-spare', node, pool: 'gpu', offering, pricePerHourMicro },
    `Bought node ${node} (${offering}, 0.402 an hour) in pool gpu as a warm spare.`,
  ],
  [
    { code: 'hedge', node, pool: 'gpu', offering, pricePerHourMicro },
    `Bought node ${node} (${offering}, 0.402 an hour) in pool gpu as a hedge against the loss of spot.`,
  ],
  [
    { code: 'spot', pool: 'gpu', reason: { code: 'spot-floor', onDemand: 2, wanted: 8 } },
    'Pool gpu: 2 of 8 are always on demand.',
  ],
  [
    { code: 'short', pool: 'gpu', what: 'hedge', missing: 2 },
    'Pool gpu lacks 2 hedge nodes that cannot be bought now.',
  ],
  [
    { code: 'going', node, reason: { kind: 'spot-ready' }, savingPerHourMicro: null },
    `Node ${node} goes: spot that is ready stands in its place.`,
  ],
  [
    { code: 'going', node, reason: { kind: 'unready' }, savingPerHourMicro: null },
    `Node ${node} goes: it was ready and has not been so for too long.`,
  ],
  [{ code: 'kept', node, why: 'hedge' }, `Node ${node} stays: it stands ready for the loss of spot.`],
  [
    { code: 'short', pool: 'gpu', what: 'warm-spare', missing: 2 },
    'Pool gpu lacks 2 warm spares that cannot be bought now.',
  ],
  [{ code: 'bound', pods: 1, nodes: 1 }, 'Placed 1 pod on 1 node that is there already.'],
  [
    {
      code: 'unplaceable',
      pods: ['a', 'b', 'c'],
      reason: { kind: 'stock-out', offerings: [offering], untilMs: 181_000 },
    },
    `Pod a and 2 more: each waits for ${offering}, out of stock; asked again in 3 min.`,
  ],
  [
    { code: 'backed-off', offering, cause: 'quota', untilMs: 181_000 },
    `${offering} is over the quota of the account; it is asked for again in 3 min.`,
  ],
  [
    { code: 'asked-again', node, cause: 'throttled', attempts: 1, atMs: 3000 },
    `The provider asks for fewer calls; node ${node} is asked for again in 2 s (try 2).`,
  ],
  [
    { code: 'going', node, reason: { kind: 'underutilized', gainShare: 0.31 }, savingPerHourMicro: 250_000 },
    `Node ${node} goes: its pods cost 31 % less elsewhere, which saves 0.25 an hour.`,
  ],
  [
    { code: 'going', node, reason: { kind: 'empty' }, savingPerHourMicro: null },
    `Node ${node} goes: nothing runs on it.`,
  ],
  [{ code: 'kept', node, why: 'gain' }, `Node ${node} stays: moving its pods saves too little.`],
  [{ code: 'notice', node, kind: 'interruption', goesAtMs: 121_000 }, `The cloud takes back node ${node} in 2 min.`],
  [{ code: 'start-timeout', node, waitedMs: 600_000 }, `Node ${node} was not ready after 10 min and is given up.`],
  [
    { code: 'orphan', providerId: 'i-1', id: null, sinceMs: -599_000, pricePerHourMicro: null },
    'Nobody knows machine i-1, there for 10 min at an unknown price.',
  ],
];

it.each(told)('tells $code', (reason, sentence) => {
  expect(fleetSentence(reason, 1000)).toBe(sentence);
});

it('tells no time without a clock', () => {
  expect(fleetSentence({ code: 'backed-off', offering, cause: 'stock-out', untilMs: 5 })).toBe(
    `${offering} is out of stock; it is asked for again later.`,
  );
});
