import { expect, it } from 'vitest';
import { nearestName } from './nearestName.ts';

it.each([
  ['nodde', 'node'],
  ['pyhton3', 'python3'],
  ['nod', 'node'],
  ['ndoe', 'node'],
  ['xy', null],
  ['uvicorn', null],
])('for %s means %s', (name, meant) => {
  expect(nearestName(name, ['bash', 'node', 'npm', 'python3'])).toBe(meant);
});
