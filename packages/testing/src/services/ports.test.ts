import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { blackHole } from './blackHole.ts';
import { freePort, isListening, loopback, refusedPort } from './ports.ts';

it('hands out a port only once, and one that can be listened on', async () => {
  const ports = await Promise.all(Array.from({ length: 50 }, freePort));
  expect(new Set(ports).size).toBe(50);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(ports[0], loopback, resolve));
  expect(await isListening(ports[0] as number)).toBe(true);
  server.close();
});

it('has a port that refuses', async () => {
  expect(await isListening(await refusedPort())).toBe(false);
});

it('has a black hole: it accepts, reads, says nothing, and lets go when it is stopped', async () => {
  const hole = await blackHole();
  const socket = connect(hole.port, hole.host);
  let answered = false;
  // Bytes that nobody read make the end of a connection a reset.
  socket.on('error', () => {});
  socket.on('data', () => (answered = true));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await new Promise<void>((resolve) => socket.write('anybody there?\n', () => resolve()));
  await expect.poll(() => hole.openConnections()).toBe(1);
  await hole.stop();
  await closed;
  expect(answered).toBe(false);
  expect(await isListening(hole.port)).toBe(false);
});
