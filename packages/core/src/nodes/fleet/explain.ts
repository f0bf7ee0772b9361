import { count, seconds, shortNumber } from '../../explain/wording.ts';
import type { ProviderErrorCode } from '../../ports/provider.ts';
import type { KeptReason } from '../consolidation/types.ts';
import { spotSentence } from '../spot/reasons.ts';
import { unplaceableSentence } from '../placement/unplaceableSentence.ts';
import type { FleetReason, GoingReason } from './types.ts';

/** One sentence for a reason, with its numbers. Times are told from `nowMs` on; without it no times are. */
export function fleetSentence(reason: FleetReason, nowMs: number | null = null): string {
  switch (reason.code) {
    case 'bought': {
      const { gap } = reason;
      const near = gap === null ? '' : `, within ${shortNumber(gap * 100)} % of the cheapest plan`;
      const what = reason.pods === 0 ? 'to move others there' : `for ${count(reason.pods, 'pod')}${near}`;
      return `Bought ${at(reason)} ${what}.`;
    }
    case 'warm-spare':
      return `Bought ${at(reason)} as a warm spare.`;
    case 'min-nodes':
      return `Bought ${at(reason)}: the pool keeps a least number of nodes.`;
    case 'hedge':
      return `Bought ${at(reason)} as a hedge against the loss of spot.`;
    case 'spot':
      return `Pool ${reason.pool}: ${spotSentence(reason.reason)}`;
    case 'short':
      return `Pool ${reason.pool} lacks ${count(reason.missing, shortOf[reason.what])} that cannot be bought now.`;
    case 'bound':
      return `Placed ${count(reason.pods, 'pod')} on ${count(reason.nodes, 'node')} that ${reason.nodes === 1 ? 'is' : 'are'} there already.`;
    case 'unplaceable': {
      const sentence = unplaceableSentence(reason.reason).replace(
        /asked again at (\d+)$/,
        (_all, ms: string) => `asked again ${inTime(Number(ms), nowMs)}`,
      );
      const [first = ''] = reason.pods;
      const who = reason.pods.length === 1 ? `Pod ${first}` : `Pod ${first} and ${reason.pods.length - 1} more:`;
      return reason.pods.length === 1 ? `${who} ${sentence}.` : `${who} each ${sentence}.`;
    }
    case 'backed-off':
      return `${reason.offering} ${causes[reason.cause]}; it is asked for again ${inTime(reason.untilMs, nowMs)}.`;
    case 'asked-again':
      return `The provider ${causes[reason.cause]}; node ${reason.node} is asked for again ${inTime(reason.atMs, nowMs)} (try ${reason.attempts + 1}).`;
    case 'refused':
      return `The provider did not give node ${reason.node} (${reason.offering}), which ${causes[reason.cause]}: ${reason.message}`;
    case 'going': {
      const { savingPerHourMicro: saving } = reason;
      const saved = saving === null || saving <= 0 ? '' : `, which saves ${anHour(saving)}`;
      return `Node ${reason.node} goes: ${goingSentence(reason.reason)}${saved}.`;
    }
    case 'kept':
      return `Node ${reason.node} stays: ${keptTexts[reason.why]}.`;
    case 'notice':
      return `The cloud ${reason.kind === 'interruption' ? 'takes back' : 'may take back'} node ${reason.node}${reason.goesAtMs === null || nowMs === null ? '' : ` ${inTime(reason.goesAtMs, nowMs)}`}.`;
    case 'lost':
      return `Node ${reason.node} is lost: ${reason.message}.`;
    case 'start-timeout':
      return `Node ${reason.node} was not ready after ${seconds(reason.waitedMs)} and is given up.`;
    case 'adopted':
      return `Node ${reason.node} of pool ${reason.pool}, ${anHour(reason.pricePerHourMicro)}, was forgotten and is taken back.`;
    case 'orphan': {
      const name = reason.id === null ? reason.providerId : `${reason.providerId} (${reason.id})`;
      const price =
        reason.pricePerHourMicro === null ? 'at an unknown price' : `at ${anHour(reason.pricePerHourMicro)}`;
      return `Nobody knows machine ${name}, there ${nowMs === null ? '' : `for ${seconds(nowMs - reason.sinceMs)} `}${price}.`;
    }
    case 'stale-epoch':
      return 'Another control plane has taken over this cluster; this one buys and ends nothing more.';
    case 'provider-away':
      return 'The provider does not answer: nothing is ended, and nodes that it does not show count as there.';
  }
}

/** Why a node goes, after "because": without a capital and without a stop. */
export function goingSentence(reason: GoingReason): string {
  switch (reason.kind) {
    case 'interruption':
      return 'the cloud takes it back';
    case 'rebalance':
      return 'the cloud advises to leave it';
    case 'drift':
      return 'its pool has changed since it was bought';
    case 'expiry':
      return 'it is past its lifetime';
    case 'empty':
      return 'nothing runs on it';
    case 'underutilized':
      return `its pods cost ${shortNumber(reason.gainShare * 100)} % less elsewhere`;
    case 'pool-removed':
      return 'its pool is gone';
    case 'cluster-removed':
      return 'its cluster is gone';
    case 'start-timeout':
      return 'it did not become ready in time';
    case 'unready':
      return 'it was ready and has not been so for too long';
    case 'spot-ready':
      return 'spot that is ready stands in its place';
    case 'not-needed':
      return 'what it was bought for is gone before it was ready';
  }
}

const causes: Record<ProviderErrorCode, string> = {
  'stock-out': 'is out of stock',
  quota: 'is over the quota of the account',
  throttled: 'asks for fewer calls',
  unavailable: 'cannot be reached or did not start',
  refused: 'was refused',
  'unknown-offering': 'is not known to the provider',
  'stale-epoch': 'is steered by another control plane',
};

const shortOf = { 'warm-spare': 'warm spare', 'min-nodes': 'node', hedge: 'hedge node' };

const keptTexts: Record<KeptReason | 'hedge', string> = {
  going: 'it is on its way out already',
  policy: 'its pool does not allow it to go for that',
  delay: 'it has not been quiet for long enough',
  'delay-after-scale-up': 'another node has just come',
  utilization: 'it is used too much to be emptied',
  'do-not-disrupt': 'it, or a pod on it, is not to be disturbed',
  budget: 'as many nodes as the disruption budget allows are going',
  'min-nodes': 'its pool keeps a least number of nodes',
  'warm-spares': 'it is a warm spare',
  hedge: 'it stands ready for the loss of spot',
  'no-place': 'its pods have no other place',
  gain: 'moving its pods saves too little',
  'not-tried': 'the search ended before it was tried',
};

function at({ node, pool, offering, ...price }: AtNode): string {
  return `node ${node} (${offering}, ${anHour(price.pricePerHourMicro)}) in pool ${pool}`;
}
interface AtNode {
  node: string;
  pool: string;
  offering: string;
  pricePerHourMicro: number;
}

const anHour = (micro: number): string => `${micro / 1e6} an hour`;
const inTime = (atMs: number, nowMs: number | null): string =>
  nowMs === null ? 'later' : atMs <= nowMs ? 'now' : `in ${seconds(atMs - nowMs)}`;
