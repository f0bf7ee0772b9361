import type { RouteSpec } from '@ebb/documents';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouteTable } from './routes.ts';

const route = (changes: Partial<RouteSpec>): RouteSpec => ({
  host: null,
  pathPrefix: null,
  headers: {},
  model: null,
  ...changes,
});

function tableOf(workloads: Record<string, Partial<RouteSpec>[]>): RouteTable {
  const table = new RouteTable();
  for (const [name, routes] of Object.entries(workloads)) table.set(`local/default/${name}`, routes.map(route));
  return table;
}

function find(
  table: RouteTable,
  authority: string,
  target: string,
  fields: Record<string, string> = {},
  model?: string | null,
) {
  const result = table.find({ authority, target, fields }, model);
  return result.type === 'workload' ? result.workload.split('/').at(-1) : result.type;
}

describe('RouteTable', () => {
  const table = tableOf({
    root: [{ pathPrefix: '/' }],
    api: [{ pathPrefix: '/api' }, { pathPrefix: '/v2/' }],
    apiChat: [{ pathPrefix: '/api/chat' }],
    shop: [{ host: 'shop.example.com' }],
    anyShop: [{ host: '*.example.com' }],
    deepShop: [{ host: '*.eu.example.com' }],
    beta: [{ pathPrefix: '/api', headers: { 'X-Stage': 'beta' } }],
    llama: [{ pathPrefix: '/v1', model: 'llama' }],
    qwen: [{ pathPrefix: '/v1', model: 'qwen' }],
    unrouted: [],
  });

  it.each([
    ['', '/', 'root'],
    ['', '/elsewhere', 'root'],
    ['', '/api', 'api'],
    ['', '/api/', 'api'],
    ['', '/api?x=/api/chat', 'api'],
    ['', '/api/chat/completions', 'apiChat'],
    ['', '/apix', 'root'],
    ['', '/api/chatter', 'api'],
    ['', '/v2', 'api'],
    ['', '/v2/x', 'api'],
    ['shop.example.com', '/api', 'shop'],
    ['SHOP.example.com.:8080', '/', 'shop'],
    ['x.example.com', '/api', 'anyShop'],
    ['a.eu.example.com:80', '/', 'deepShop'],
    ['example.com', '/api', 'api'],
    ['[::1]:8080', '/api', 'api'],
    ['', '/v1/chat/completions', 'model-needed'],
  ])('%s%s → %s', (authority, target, expected) => {
    expect(find(table, authority, target)).toBe(expected);
  });

  it('compares fields, and prefers the route that names more of them', () => {
    expect(find(table, '', '/api/x', { 'x-stage': 'beta' })).toBe('beta');
    expect(find(table, '', '/api/x', { 'x-stage': 'alpha' })).toBe('api');
  });

  it('routes by model once it is known, and past it when no route names it', () => {
    expect(find(table, '', '/v1/chat', {}, 'llama')).toBe('llama');
    expect(find(table, '', '/v1/chat', {}, 'qwen')).toBe('qwen');
    expect(find(table, '', '/v1/chat', {}, 'gpt')).toBe('root');
    expect(find(table, '', '/v1/chat', {}, null)).toBe('root');
  });

  it('finds any workload by name, and nothing else when the name is wrong', () => {
    expect(find(table, 'shop.example.com', '/api', { 'x-ebb-workload': 'unrouted' })).toBe('unrouted');
    expect(find(table, '', '/', { 'x-ebb-workload': 'default/unrouted' })).toBe('unrouted');
    expect(find(table, '', '/', { 'x-ebb-workload': 'local/default/unrouted' })).toBe('unrouted');
    expect(find(table, '', '/api', { 'x-ebb-workload': 'nosuch' })).toBe('none');
    expect(find(table, '', '/api', { 'x-ebb-workload': 'other/unrouted' })).toBe('none');
  });

  it('forgets a removed workload and follows changed routes', () => {
    const changing = tableOf({ a: [{ pathPrefix: '/a' }], b: [{ pathPrefix: '/' }] });
    changing.set('local/default/a', [route({ pathPrefix: '/other' })]);
    expect(find(changing, '', '/a')).toBe('b');
    expect(find(changing, '', '/other')).toBe('a');
    changing.remove('local/default/a');
    expect(find(changing, '', '/other')).toBe('b');
    expect(find(changing, '', '/', { 'x-ebb-workload': 'a' })).toBe('none');
  });

  it('gives the same answer in whatever order workloads came', () => {
    const spec = fc.record({
      host: fc.constantFrom(null, 'a.x', '*.x'),
      pathPrefix: fc.constantFrom(null, '/', '/p', '/p/q'),
      headers: fc.constantFrom<Record<string, string>>({}, { k: '1' }),
      model: fc.constantFrom(null, 'm'),
    });
    const ask = fc.record({
      authority: fc.constantFrom('', 'a.x', 'b.x'),
      target: fc.constantFrom('/', '/p', '/p/q/r', '/pq'),
      fields: fc.constantFrom<Record<string, string>>({}, { k: '1' }),
      model: fc.constantFrom(null, 'm', 'n'),
    });
    fc.assert(
      fc.property(
        fc.array(fc.array(spec, { maxLength: 3 }), { maxLength: 5 }),
        ask,
        fc.boolean(),
        (lists, { model, ...head }, churn) => {
          const entries = lists.map((specs, index): [string, RouteSpec[]] => [`local/default/w${index}`, specs]);
          const forward = new RouteTable();
          for (const [key, specs] of entries) forward.set(key, specs);
          const backward = new RouteTable();
          for (const [key, specs] of [...entries].reverse()) {
            if (churn) backward.set(key, [route({ pathPrefix: '/p' })]);
            backward.set(key, specs);
          }
          expect(backward.find(head, model)).toEqual(forward.find(head, model));
        },
      ),
    );
  });

  it('is not slowed by a hostile path or host', () => {
    const begun = process.hrtime.bigint();
    expect(find(table, 'a.'.repeat(10_000), '/a'.repeat(15_000))).toBe('root');
    expect(Number(process.hrtime.bigint() - begun) / 1e6).toBeLessThan(50);
  });
});
