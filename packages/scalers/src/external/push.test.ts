import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import type { ScalerClient } from './client.ts';
import { watchPush } from './push.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** The streams' other end, by hand; the streams themselves are tested on a real server. */
function scripted() {
  const opened: string[] = [];
  interface Said {
    told(message: { result: boolean }): void;
    ended(why: SourceError | null): void;
  }
  const said: Said = { told: () => {}, ended: () => {} };
  let news = 0;
  let open = 0;
  const client: ScalerClient = {
    call: () => Promise.reject(new Error('not used')),
    stream(method, _, told, ended) {
      opened.push(method);
      open++;
      if (method === 'StreamIsActive') Object.assign(said, { told, ended });
      return () => {
        open--;
      };
    },
    close: async () => {},
  };
  const reference = { name: 'a', namespace: 'b', scalerMetadata: {} };
  const stop = watchPush(client, reference, () => news++, { intervalMs: 100 });
  const newsWithin = (ms: number) => {
    const before = news;
    vi.advanceTimersByTime(ms);
    return news - before;
  };
  return { said, opened, stop, newsWithin, open: () => open };
}

it('reads at its pace until the stream says that there is nothing to do, and then only now and then', () => {
  const { said, newsWithin } = scripted();
  expect(newsWithin(1000)).toBe(10);
  said.told({ result: false });
  expect(newsWithin(29_999)).toBe(0);
  expect(newsWithin(1)).toBe(1);
  said.told({ result: true });
  expect(newsWithin(1000)).toBe(10);
});

it('reads once a second while the scaler is down, and opens the stream again with longer pauses', () => {
  const { said, opened, newsWithin } = scripted();
  said.told({ result: false });
  const down = () => said.ended(new SourceError('unreachable', 'down'));
  down();
  expect(newsWithin(10_000)).toBe(10);
  const times = () => opened.filter((method) => method === 'StreamIsActive').length;
  expect(times()).toBe(2);
  for (const pauseMs of [500, 1000, 2000, 4000, 5000, 5000]) {
    const before = times();
    down();
    vi.advanceTimersByTime(pauseMs - 1);
    expect(times()).toBe(before);
    vi.advanceTimersByTime(1);
    expect(times()).toBe(before + 1);
  }
  said.told({ result: false });
  down();
  const before = times();
  vi.advanceTimersByTime(250);
  expect(times()).toBe(before + 1);
});

it('reads at its pace where there is no such stream, which is not asked for again', () => {
  const { said, opened, newsWithin } = scripted();
  said.ended(new SourceError('unsupported', 'no such method'));
  expect(newsWithin(60_000)).toBe(600);
  expect(opened).toEqual(['StreamIsActive', 'StreamMetricSpec']);
});

it('is silent once it is stopped', () => {
  const { stop, newsWithin, open } = scripted();
  stop();
  expect(newsWithin(60_000)).toBe(0);
  expect(open()).toBe(0);
  expect(vi.getTimerCount()).toBe(0);
});
