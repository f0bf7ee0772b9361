import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { connectTcpLink, LinkRefusedError, listenTcpLink, type TcpLinkServer } from './tcpLink.ts';

interface Note {
  text: string;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function listen(secret: () => string): Promise<TcpLinkServer & { heard: string[]; refused: Promise<string> }> {
  const heard: string[] = [];
  const { promise: refused, resolve: onRefused } = Promise.withResolvers<string>();
  const server = await listenTcpLink<Note, Note>(
    { host: '127.0.0.1', port: 0, secret, onRefused: (_from, reason) => onRefused(reason) },
    { sender: 'gateway', epoch: 1 },
    (connection) => {
      connection.onMessage = ({ text }) => {
        heard.push(text);
        connection.send({ text: `${text}!` });
      };
    },
  );
  closing.push(() => server.close());
  return { ...server, heard, refused };
}

async function dial({ address }: TcpLinkServer, secret: string): Promise<Connection<Note, Note>> {
  const connection = await connectTcpLink<Note, Note>(
    { ...address, secret: () => secret },
    { sender: 'operator', epoch: 2 },
  );
  closing.push(() => connection.destroy());
  return connection;
}

test('those who share the secret talk to each other', async () => {
  const server = await listen(() => 'sesame');
  const connection = await dial(server, 'sesame');
  const answer = new Promise<string>((resolve) => {
    connection.onMessage = ({ text }) => resolve(text);
  });
  connection.send({ text: 'ü 🌊' });
  expect(await answer).toBe('ü 🌊!');
});

test('who has another secret is refused, and nothing of it is heard', async () => {
  const server = await listen(() => 'sesame');
  await expect(dial(server, 'guess')).rejects.toBeInstanceOf(LinkRefusedError);
  expect(await server.refused).toMatch(/^ERR_SSL/);
  expect(server.heard).toEqual([]);
});

test('a gateway that does not know the secret is not talked to', async () => {
  const server = await listen(() => 'of somebody else');
  await expect(dial(server, 'sesame')).rejects.toBeInstanceOf(LinkRefusedError);
});

test('plain text is refused', async () => {
  const server = await listen(() => 'sesame');
  const raw = connect(server.address.port, server.address.host);
  closing.push(() => raw.destroy());
  raw.on('error', () => {});
  raw.write(`${JSON.stringify({ sender: 'x', epoch: 9, sequence: 1, body: { text: 'let me in' } })}\n`);
  await once(raw, 'close');
  expect(await server.refused).toMatch(/^ERR_SSL/);
  expect(server.heard).toEqual([]);
});

test('a secret that is replaced counts from the next connection on', async () => {
  let secret = 'first';
  const server = await listen(() => secret);
  await dial(server, 'first');
  secret = 'second';
  await expect(dial(server, 'first')).rejects.toBeInstanceOf(LinkRefusedError);
  await dial(server, 'second');
});

test('nobody listens: the system says so', async () => {
  const server = await listen(() => 'sesame');
  await server.close();
  await expect(dial(server, 'sesame')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
