import { readFileSync } from 'node:fs';
import { resolveScaledObject } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { changed, scaledObjectFile } from './controlPlane.ts';

const text = readFileSync(scaledObjectFile, 'utf8');
const none = { small: false, reactive: false, paused: false };
const resolved = (changes: Partial<typeof none>) => resolveScaledObject(parse(changed(text, { ...none, ...changes })));

describe('changed', () => {
  it('changes nothing that was not asked for', () => {
    expect(changed(text, none)).toBe(text);
    expect(resolved({})).toMatchObject({ minReplicas: 5, maxReplicas: 100, improvements: false });
  });

  it('makes it small, reactive and paused', () => {
    const all = resolved({ small: true, reactive: true, paused: true });
    expect(all).toMatchObject({ minReplicas: 1, maxReplicas: 4, improvements: true, pause: { replicas: 0 } });
    expect(all.triggers).toEqual(resolved({}).triggers);
  });
});
