import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from './connection.ts';
import { connectLink, isAlive, listenLink, SocketInUseError } from './server.ts';
import { socketPath } from './socketPath.ts';

interface Note {
  text: string;
}

let folder: string;
let closing: (() => Promise<void>)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ebb-link-'));
  closing = [];
});

afterEach(async () => {
  for (const close of closing) await close();
  rmSync(folder, { recursive: true, force: true });
});

const path = () => join(folder, 'x.sock');

async function listen(onConnection: (connection: Connection<Note, Note>) => void): Promise<void> {
  const server = await listenLink<Note, Note>(path(), { sender: 'server', epoch: 1 }, onConnection);
  closing.push(() => server.close());
}

/** A connection whose other end is a plain socket that the test writes to. */
async function rawPair(): Promise<{ connection: Connection<Note, Note>; raw: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const raw = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const connection = new Connection<Note, Note>(await accepted, { sender: 'here', epoch: 1 });
  closing.push(async () => {
    raw.destroy();
    connection.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return { connection, raw };
}

const line = (epoch: number, sequence: number, text: string) =>
  `${JSON.stringify({ sender: 'there', epoch, sequence, body: { text } })}\n`;

describe('a link', () => {
  it('carries messages both ways in order, however the bytes are cut', async () => {
    const heard: string[] = [];
    await listen((connection) => {
      connection.onMessage = ({ text }) => connection.send({ text: `${text}!` });
    });
    const client = await connectLink<Note, Note>(path(), { sender: 'client', epoch: 2 });
    const texts = ['a', 'ü 🌊'.repeat(20_000), 'c'];
    const done = new Promise<void>((resolve) => {
      client.onMessage = ({ text }) => {
        heard.push(text);
        if (heard.length === texts.length) resolve();
      };
    });
    for (const text of texts) client.send({ text });
    await done;
    expect(heard).toEqual(texts.map((text) => `${text}!`));
    client.end();
  });

  it('is for the owner only, and one process', async () => {
    await listen(() => {});
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    await expect(listenLink(path(), { sender: 'second', epoch: 1 }, () => {})).rejects.toBeInstanceOf(SocketInUseError);
  });

  it('takes the place of a socket that nobody answers on', async () => {
    writeFileSync(path(), '');
    expect(await isAlive(path())).toBe(false);
    await listen(() => {});
    expect(await isAlive(path())).toBe(true);
  });

  it('cannot send when the other side is gone, and says so', async () => {
    await listen((connection) => connection.destroy());
    const client = await connectLink<Note, Note>(path(), { sender: 'client', epoch: 1 });
    await new Promise<void>((resolve) => {
      client.onClose = () => resolve();
    });
    expect(client.send({ text: 'lost' })).toBe(false);
  });
});

describe('what comes in', () => {
  it('is dropped when it is older or was seen; a gap is told before what follows it', async () => {
    const { connection, raw } = await rawPair();
    const heard: string[] = [];
    const done = new Promise<void>((resolve) => {
      connection.onGap = () => heard.push('gap');
      connection.onMessage = ({ text }) => {
        heard.push(text);
        if (text === 'last') resolve();
      };
    });
    raw.write(line(5, 1, 'first') + line(5, 1, 'again') + line(4, 9, 'older leader') + line(5, 2, 'second'));
    raw.write(line(5, 4, 'fourth') + line(6, 1, 'new leader') + line(5, 5, 'deposed') + line(6, 2, 'last'));
    await done;
    expect(heard).toEqual(['first', 'second', 'gap', 'fourth', 'new leader', 'last']);
  });

  it.each([
    ['is no JSON', 'nonsense\n'],
    ['is no envelope', '{"body":1}\n'],
  ])('that %s ends the connection', async (_what, text) => {
    const { connection, raw } = await rawPair();
    const closed = new Promise<Error | null>((resolve) => {
      connection.onClose = resolve;
    });
    raw.write(text);
    expect((await closed)?.message).toMatch(/^not a/);
  });
});

describe('the path of a socket', () => {
  it('is in the data folder, or a short one where that would be too long for the system', () => {
    expect(socketPath(folder, 'agent')).toBe(join(folder, 'run', 'agent.sock'));
    const deep = join(folder, 'x'.repeat(120));
    const short = socketPath(deep, 'agent');
    expect(Buffer.byteLength(short)).toBeLessThan(108);
    expect(socketPath(deep, 'agent')).toBe(short);
    expect(socketPath(`${deep}y`, 'agent')).not.toBe(short);
    rmSync(join(short, '..'), { recursive: true, force: true });
    rmSync(join(socketPath(`${deep}y`, 'agent'), '..'), { recursive: true, force: true });
  });
});
