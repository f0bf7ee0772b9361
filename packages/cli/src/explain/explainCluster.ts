import type { FleetStatus } from '@ebb/documents';
import type { ExplainFlags } from '../commands/explain.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { openSession } from '../session.ts';
import { didYouMean } from '../suggest.ts';
import { countText, moneyText } from '../text/format.ts';
import { withoutControls } from '../text/width.ts';

const prefix = 'cluster/';

/** The cluster that `ebb explain cluster/NAME` asks for; null: something else is asked for. */
export function clusterAsked(name: string): string | null {
  return name.startsWith(prefix) ? name.slice(prefix.length) : null;
}

/** Why a cluster has the machines it has. */
export async function explainCluster(context: EbbContext, flags: ExplainFlags, name: string): Promise<undefined> {
  if (flags.at !== undefined) {
    throw new Failure('usage', 'why a cluster has its machines is told of now only', [
      `earlier decisions are in the journal: ebb journal export`,
    ]);
  }
  const session = await openSession(context, flags);
  const fleets = await session.client.nodes();
  const fleet = fleets.find(({ cluster }) => cluster === name);
  if (!fleet) {
    const names = fleets.map(({ cluster }) => cluster);
    throw new Failure('failed', `no machines are rented for a cluster "${name}".${didYouMean(name, names)}`);
  }
  if (flags.json) context.json(fleet);
  else context.out(...fleetLines(context, fleet));
}

function fleetLines({ colors: { bold, dim } }: EbbContext, fleet: FleetStatus): string[] {
  const { cluster, nodes, waiting, pricePerHourMicro, lowerBoundMicro, currency, problem, reasons, notes } = fleet;
  const price = `${moneyText(pricePerHourMicro, currency)} an hour`;
  const least =
    lowerBoundMicro === null ? '' : `; its replicas could cost no less than ${moneyText(lowerBoundMicro, currency)}`;
  const count = `${countText(nodes.length, 'node')}, ${countText(waiting, 'replica')} waiting`;
  return [
    `${bold(`cluster ${cluster}`)}  ${count}, ${price}${least}`,
    ...(problem ? [`  ${dim('problem')}  ${problem}`] : []),
    ...reasons.map(({ sentence }) => `  ${withoutControls(sentence)}`),
    ...nodes
      .filter(({ message }) => message !== '')
      .map(({ id, phase, message }) => `  ${id} ${dim(phase)}  ${withoutControls(message)}`),
    ...notes.map((note) => dim(`  note: ${note}`)),
  ];
}
