import type { Probe } from '@ebb/documents';
import { describe, expect, it } from 'vitest';
import { noAnswerText, noticedAtUs } from './hanging.ts';

const http: Probe = {
  action: { type: 'http', path: '/healthz', headers: {} },
  periodMs: 5000,
  timeoutMs: 1000,
  successThreshold: 1,
  failureThreshold: 3,
};

describe('a replica that hangs', () => {
  it('is found out after as many unanswered probes as it takes, each a period after the one before was given up', () => {
    // Ready at 2 s, asked at 7, 12, 17 s: from 17 to 18, from 23 to 24 and from 29 to 30 s nothing answers.
    expect(noticedAtUs(http, 2_000_000, 12_000_001)).toBe(30_000_000);
    expect(noticedAtUs(http, 2_000_000, 17_000_000)).toBe(30_000_000);
    expect(noticedAtUs({ ...http, failureThreshold: 1 }, 2_000_000, 17_000_000)).toBe(18_000_000);
    // Nobody asks before the first period is over.
    expect(noticedAtUs({ ...http, failureThreshold: 1 }, 2_000_000, 2_000_000)).toBe(8_000_000);
  });

  it('is never found out by connections', () => {
    expect(noticedAtUs({ ...http, action: { type: 'tcp' } }, 0, 1)).toBe(null);
  });

  it('is spoken of as the live driver does', () => {
    expect(noAnswerText(http)).toBe('GET /healthz: no answer within 1000 ms');
    expect(noAnswerText({ ...http, action: { type: 'exec', command: ['./healthy', '-q'] } })).toBe(
      './healthy: not finished within 1000 ms',
    );
  });
});
