import { describe, expect, it } from 'vitest';
import { readDeadline } from './deadline.ts';
import { isJson, readOpenAiBody } from './openAiBody.ts';
import { problemAnswer } from './problem.ts';
import { mayRetry } from './retry.ts';
import { nextTimeout } from './timeouts.ts';

describe('readDeadline', () => {
  it.each([
    [{}, { type: 'none' }],
    [{ 'x-ebb-deadline-ms': '1500' }, { type: 'after', ms: 1500 }],
    [{ 'x-request-timeout': '2.5' }, { type: 'after', ms: 2500 }],
    [
      { 'x-ebb-deadline-ms': '10', 'x-request-timeout': '2' },
      { type: 'after', ms: 10 },
    ],
    [{ 'x-request-timeout': 'soon' }, { type: 'none' }],
    [{ 'x-request-timeout': '0' }, { type: 'none' }],
  ])('%o → %o', (fields, expected) => expect(readDeadline(fields)).toEqual(expected));

  it.each(['', '0', '-5', '1.5', 'soon', '1e3'])('refuses our own field when it is "%s"', (text) => {
    expect(readDeadline({ 'x-ebb-deadline-ms': text }).type).toBe('malformed');
  });
});

describe('readOpenAiBody', () => {
  it.each([
    ['{"model":"m","max_tokens":5}', { model: 'm', maxTokens: 5 }],
    ['{"max_completion_tokens":7,"max_tokens":5}', { model: null, maxTokens: 7 }],
    ['{"model":1,"max_tokens":-1}', { model: null, maxTokens: null }],
    ['[1]', { model: null, maxTokens: null }],
    ['null', { model: null, maxTokens: null }],
    ['{"model":', { model: null, maxTokens: null }],
  ])('%s', (text, expected) => expect(readOpenAiBody(Buffer.from(text))).toEqual(expected));

  it('knows JSON by its content type', () => {
    expect(isJson('application/json; charset=utf-8')).toBe(true);
    expect(isJson('application/vnd.api+json')).toBe(true);
    expect(isJson('text/plain')).toBe(false);
    expect(isJson(undefined)).toBe(false);
  });
});

describe('problemAnswer', () => {
  it('is problem+json with Retry-After in whole seconds', () => {
    const { head, body } = problemAnswer(
      {
        code: 'unavailable',
        detail: 'It crashed.',
        reason: 'crashed',
        workload: 'local/default/w',
        retryAfterMs: 1200,
      },
      'id-1',
    );
    expect(head.status).toBe(503);
    expect(head.fieldList).toContain('application/problem+json');
    expect(head.fieldList.slice(-2)).toEqual(['retry-after', '2']);
    expect(JSON.parse(body)).toEqual({
      type: 'urn:ebb:problem:unavailable',
      title: 'Workload is unavailable',
      status: 503,
      detail: 'It crashed.',
      code: 'unavailable',
      workload: 'local/default/w',
      reason: 'crashed',
      retryAfterMs: 1200,
    });
  });
});

describe('mayRetry', () => {
  const post = { method: 'POST', fields: {} };
  const get = { method: 'GET', fields: {} };
  const later = { sentAgoUs: 1_000_000, replayable: true, repetitions: 0 };
  const failure = { stage: 'head', reused: true, closed: true, message: '' } as const;
  it.each([
    ['a refused connection', { ...failure, stage: 'connect', reused: false } as const, post, later, true],
    ['a body that is gone', { ...failure, stage: 'connect' } as const, post, { ...later, replayable: false }, false],
    ['a second repetition', failure, get, { ...later, repetitions: 1 }, false],
    ['GET on a kept connection', failure, get, later, true],
    ['POST on a kept connection that worked for a while', failure, post, later, false],
    ['POST on a kept connection that closed at once', failure, post, { ...later, sentAgoUs: 900 }, true],
    ['POST with Idempotency-Key', failure, { method: 'POST', fields: { 'idempotency-key': 'k' } }, later, true],
    ['GET on a fresh connection that closed', { ...failure, reused: false }, get, later, true],
    ['GET answered with what is not HTTP', { ...failure, closed: false }, get, later, false],
    ['POST on a fresh connection that closed', { ...failure, reused: false }, post, later, false],
    ['a begun answer', { ...failure, stage: 'body' } as const, get, later, false],
  ])('%s', (_name, what, head, sent, expected) => expect(mayRetry(what, head, sent)).toBe(expected));
});

describe('nextTimeout', () => {
  const limits = { holdMs: 1, responseMs: 100, requestMs: 1000, idleMs: 50 };
  const times = {
    arrivedUs: 0,
    sentUs: 10_000,
    activityUs: 20_000,
    deadlineUs: null,
    begun: false,
    switched: false,
    bodyComplete: true,
  };
  it('lets a replica think in silence until its answer is due', () => {
    expect(nextTimeout(limits, times)).toEqual({ atUs: 110_000, kind: 'response' });
  });
  it('bounds silence while a body moves', () => {
    expect(nextTimeout(limits, { ...times, bodyComplete: false })).toEqual({ atUs: 70_000, kind: 'idle' });
    expect(nextTimeout(limits, { ...times, begun: true })).toEqual({ atUs: 70_000, kind: 'idle' });
  });
  it('takes zero for no limit', () => {
    expect(nextTimeout({ ...limits, responseMs: 0, requestMs: 0, idleMs: 0 }, times)).toBeNull();
    expect(nextTimeout({ ...limits, idleMs: 0 }, { ...times, begun: true })).toEqual({
      atUs: 1_000_000,
      kind: 'request',
    });
  });
  it('obeys the client', () => {
    expect(nextTimeout(limits, { ...times, deadlineUs: 5000 })).toEqual({ atUs: 5000, kind: 'deadline' });
    expect(nextTimeout(limits, { ...times, deadlineUs: 5000, switched: true, begun: true })?.kind).toBe('idle');
  });
});
