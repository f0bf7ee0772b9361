import { workloadSpec } from '@ebb/testing';
import { expect, it } from 'vitest';
import { findRouteConflict } from './routes.ts';

const spec = (
  name: string,
  ...routes: { host?: string; pathPrefix?: string; headers?: Record<string, string>; model?: string }[]
) => workloadSpec(name, { serving: { routes } });

it('finds routes that match the same requests, however they are written', () => {
  const present = [spec('a', { host: 'Example.com', pathPrefix: '/x/' })];
  expect(findRouteConflict([spec('b', { host: 'example.com', pathPrefix: '/x' })], present)).toMatchObject({
    index: 0,
    path: 'spec.serving.routes[0]',
    owner: 'local/default/a',
  });
  const headers = spec('c', { headers: { 'x-b': '2', 'x-a': '1' } });
  expect(findRouteConflict([spec('d', { headers: { 'x-a': '1', 'x-b': '2' } })], [headers])?.owner).toBe(
    'local/default/c',
  );
});

it('leaves apart what differs in any part', () => {
  const present = [spec('a', { pathPrefix: '/x' }, { model: 'm' })];
  const others = [
    spec('b', { pathPrefix: '/x/y' }),
    spec('c', { pathPrefix: '/x', host: 'h' }),
    spec('d', { pathPrefix: '/x', model: 'm' }),
    spec('e', { model: 'M' }),
  ];
  expect(findRouteConflict(others, present)).toBeNull();
});

it('compares with what a candidate replaces taken away', () => {
  const present = [spec('a', { pathPrefix: '/x' }), spec('b', { pathPrefix: '/y' })];
  expect(findRouteConflict([spec('a', { pathPrefix: '/y' }), spec('b', { pathPrefix: '/x' })], present)).toBeNull();
  expect(findRouteConflict([spec('a', { pathPrefix: '/x' })], present)).toBeNull();
});
