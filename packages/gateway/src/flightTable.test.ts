import { expect, it } from 'vitest';
import type { Exchange } from './exchange.ts';
import { Flight, type FlightHost } from './flight.ts';
import { FlightTable } from './flightTable.ts';
import { BodyMemory } from './requestBody.ts';
import { UndiciUpstream } from './upstream/undici.ts';

const host: FlightHost = {
  upstream: new UndiciUpstream(),
  memory: new BodyMemory(),
  settled() {},
  retry() {},
  endpointFailed() {},
  refused() {},
};

function exchange(): Exchange {
  return {
    head: {
      method: 'GET',
      target: '/',
      authority: '',
      scheme: 'http',
      fieldList: [],
      fields: {},
      bodyBytes: 0,
      clientAddress: '',
      upgrade: null,
    },
    body: { read() {}, pause() {}, ended: true },
    answered: false,
    listener: null,
    inform() {},
    answer() {},
    write: () => true,
    end() {},
    reply() {},
    abort() {},
    switchProtocol() {
      throw new Error('not asked for');
    },
  };
}

it('gives ids again only after their end, and forgets nobody else', () => {
  const table = new FlightTable();
  const add = () => table.add((id) => new Flight(id, exchange(), host));
  const [first, second, third] = [add(), add(), add()];
  expect([first, second, third].map(({ id }) => id)).toEqual([0, 1, 2]);
  table.delete(second);
  table.delete(second);
  expect(table.size).toBe(2);
  expect(table.get(1)).toBeNull();
  const fourth = add();
  expect(fourth.id).toBe(1);
  // An end that is told late belongs to the flight that had the id before.
  table.delete(second);
  expect(table.get(1)).toBe(fourth);
  expect([...table]).toEqual([first, fourth, third]);
});
