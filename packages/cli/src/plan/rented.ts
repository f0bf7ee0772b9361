import { offeringJson, zoneText } from '../instances/render.ts';
import { countText, moneyText } from '../text/format.ts';
import { type Column, table } from '../text/table.ts';
import type { Launched } from './apply.ts';

const stateTexts: Record<Launched['state'], string> = {
  up: 'runs',
  short: 'not to be had',
  failed: 'failed',
  left: 'left as it is',
};

/** What became of the machines that were asked for, and what those that run cost. */
export function rentedLines(launched: readonly Launched[], currency: string): string[] {
  const columns: Column<Launched>[] = [
    { title: 'machine', value: ({ id }) => id },
    { title: 'instance', value: ({ offering }) => offering.instanceType.name },
    { title: 'zone', value: ({ offering, node }) => zoneText(node?.offering.zone ?? offering.zone) },
    { title: 'capacity', value: ({ offering }) => offering.capacityType },
    { title: 'state', value: ({ state }) => stateTexts[state] },
    { title: 'message', value: ({ state, message }) => (state === 'up' ? '' : message) },
  ];
  const up = launched.filter(({ state }) => state === 'up');
  const price = up.reduce((sum, { offering }) => sum + offering.pricePerHourMicro, 0);
  const isLeft = launched.some(({ state }) => state === 'left');
  return [
    ...table(columns, [...launched]),
    '',
    `${countText(up.length, 'machine')} rented: ${moneyText(price, currency)} an hour`,
    ...(isLeft ? ['what was left as it is may still come: `ebb node list` shows it, `ebb node end` ends it'] : []),
  ];
}

/** The same for a machine. */
export function rentedJson(launched: readonly Launched[]) {
  return {
    machines: launched.map(({ id, pool, offering, state, message, node, runs }) => ({
      ...{ id, pool, state, message, providerId: node?.providerId ?? null, zone: node?.offering.zone ?? offering.zone },
      runs: Object.fromEntries(runs),
      offering: offeringJson(offering),
    })),
  };
}
