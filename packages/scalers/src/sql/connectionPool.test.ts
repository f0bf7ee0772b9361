import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { ConnectionPool, type SqlConnection } from './connectionPool.ts';

/** Connections that answer when they are told to. */
class Opened implements SqlConnection {
  readonly asked: { query: string; answer: PromiseWithResolvers<unknown> }[] = [];
  isDestroyed = false;
  isEnded = false;
  firstValue(query: string): Promise<unknown> {
    const answer = Promise.withResolvers<unknown>();
    this.asked.push({ query, answer });
    return answer.promise;
  }
  destroy(): void {
    this.isDestroyed = true;
  }
  async end(): Promise<void> {
    this.isEnded = true;
  }
}

function pool() {
  const opened: Opened[] = [];
  const made = new ConnectionPool('db', () => {
    const connection = new Opened();
    opened.push(connection);
    return connection;
  });
  return { pool: made, opened };
}
const never = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('connections to one database', () => {
  it('uses one again, opens two at most, and lets the others wait in turn', async () => {
    const { pool: made, opened } = pool();
    const reads = ['a', 'b', 'c', 'd'].map((query) => made.firstValue(query, never));
    await settled();
    expect(opened.map(({ asked }) => asked.map(({ query }) => query))).toEqual([['a'], ['b']]);
    opened[0]?.asked[0]?.answer.resolve(1);
    await settled();
    expect(opened[0]?.asked.at(-1)?.query).toBe('c');
    opened[0]?.asked[1]?.answer.resolve(3);
    await settled();
    opened[0]?.asked[2]?.answer.resolve(4);
    opened[1]?.asked[0]?.answer.resolve(2);
    expect(await Promise.all(reads)).toEqual([1, 2, 3, 4]);
    expect(opened).toHaveLength(2);
    await made.close();
    expect(opened.every(({ isEnded }) => isEnded)).toBe(true);
  });

  it('gives up in time and does not use that connection again', async () => {
    const { pool: made, opened } = pool();
    const stop = new AbortController();
    const read = made.firstValue('slow', stop.signal);
    await settled();
    stop.abort();
    await expect(read).rejects.toMatchObject({ code: 'timeout' });
    expect(opened[0]?.isDestroyed).toBe(true);
    const next = made.firstValue('quick', never);
    await settled();
    opened[1]?.asked[0]?.answer.resolve(7);
    expect(await next).toBe(7);
    // What the given up one says later is nobody's.
    opened[0]?.asked[0]?.answer.reject(new Error('late'));
    await settled();
  });

  it('gives up waiting for its turn', async () => {
    const { pool: made } = pool();
    const stop = new AbortController();
    const first = [made.firstValue('a', never), made.firstValue('b', never)];
    const third = made.firstValue('c', stop.signal);
    await settled();
    stop.abort();
    await expect(third).rejects.toMatchObject({ code: 'timeout' });
    for (const read of first) read.catch(() => {});
  });

  it('keeps a connection whose query was wrong', async () => {
    const { pool: made, opened } = pool();
    const read = made.firstValue('a', never);
    await settled();
    opened[0]?.asked[0]?.answer.reject(new SourceError('not-found', 'no table'));
    await expect(read).rejects.toMatchObject({ code: 'not-found' });
    void made.firstValue('b', never);
    await settled();
    expect(opened).toHaveLength(1);
    expect(opened[0]?.isDestroyed).toBe(false);
  });

  it('asks once more on a new connection when a kept one turns out to be broken, and only then', async () => {
    const { pool: made, opened } = pool();
    const first = made.firstValue('a', never);
    await settled();
    opened[0]?.asked[0]?.answer.resolve(1);
    await first;
    const second = made.firstValue('b', never);
    await settled();
    opened[0]?.asked[1]?.answer.reject(new SourceError('unreachable', 'broken'));
    await settled();
    expect(opened[0]?.isDestroyed).toBe(true);
    opened[1]?.asked[0]?.answer.reject(new SourceError('unreachable', 'still down'));
    await expect(second).rejects.toThrow('still down');
    expect(opened).toHaveLength(2);
  });
});
