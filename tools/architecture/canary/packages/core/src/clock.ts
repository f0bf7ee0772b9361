// Forbidden on purpose: core must not know node's modules, nor testing. The architecture test must report both.
import { readFileSync } from 'node:fs';
import { fake } from '../../testing/src/fake.ts';

export const clock: unknown = [readFileSync, fake];
