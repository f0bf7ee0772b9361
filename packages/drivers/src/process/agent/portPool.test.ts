import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { PortPool } from './portPool.ts';

it('passes over ports that are in use and gives released ones out again last', async () => {
  const pool = new PortPool(7000);
  const first = await pool.take('auto', 'a');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(first + 1, '127.0.0.1', resolve));
  try {
    const second = await pool.take('auto', 'b');
    expect(second).toBeGreaterThan(first + 1);
    pool.release(first, 'somebody else');
    await expect(pool.take(first, 'c')).rejects.toThrow(`port ${first} is taken by replica a`);
    pool.release(first, 'a');
    expect(await pool.take('auto', 'c')).toBeGreaterThan(second);
    expect(await pool.take(first, 'd')).toBe(first);
    await expect(pool.take(first + 1, 'e')).rejects.toThrow(`taken by pid ${process.pid}`);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
});

it('hands out different ports to many who ask at once', async () => {
  const pool = new PortPool(9990); // Near the end of the range: it goes on at its beginning.
  const ports = await Promise.all(Array.from({ length: 50 }, (_, index) => pool.take('auto', `r${index}`)));
  expect(new Set(ports).size).toBe(50);
});
