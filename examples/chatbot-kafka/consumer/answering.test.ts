import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { AnswerMessage } from './answer.ts';
import { answererOf } from './answerer.ts';
import { Answering } from './answering.ts';
import { readSettings } from './settings.ts';

/** A real server with OpenAI's API as far as it is needed; the topic is a list. */
const closes: (() => void)[] = [];
afterEach(() => {
  for (const close of closes.splice(0)) close();
});

async function answeringWith(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  closes.push(
    () => server.closeAllConnections(),
    () => server.close(),
  );
  const settings = readSettings({ CHAT_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  const written: AnswerMessage[] = [];
  const logged: string[] = [];
  const answering = new Answering({
    name: 'one',
    answerer: answererOf(settings),
    send: async (message) => void written.push(message),
    log: (line) => logged.push(line),
  });
  return { answering, written, logged };
}

const event = (content: string) => `data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`;
const whole: RequestListener = (_request, response) => {
  response.end(`${event('Because ')}${event('of light.')}data: [DONE]\n\n`);
};

describe('Answering', () => {
  it('writes the pieces in order and then the whole', async () => {
    const { answering, written } = await answeringWith(whole);
    expect(await answering.answer({ id: 'a', text: 'why?' })).toBe(true);
    const pieces = written.slice(0, -1);
    expect(pieces.map(({ text }) => text).join('')).toBe('Because of light.');
    expect(written.at(-1)).toMatchObject({ id: 'a', done: true, text: 'Because of light.', by: 'one' });
    expect(new Set(written.map(({ attempt }) => attempt)).size).toBe(1);
  });

  it('asks again, as another attempt, when the answer breaks off', async () => {
    let calls = 0;
    const { answering, written } = await answeringWith((request, response) => {
      calls++;
      if (calls > 1) return whole(request, response);
      response.write(event('Becau'), () => response.destroy());
    });
    expect(await answering.answer({ id: 'a', text: 'why?' })).toBe(true);
    expect(calls).toBe(2);
    expect(written.filter(({ done }) => done)).toEqual([expect.objectContaining({ text: 'Because of light.' })]);
    expect(new Set(written.map(({ attempt }) => attempt)).size).toBe(2);
  });

  it('takes an answer without its end as broken, and gives up a question that breaks three times', async () => {
    let calls = 0;
    const { answering, written } = await answeringWith((_request, response) => {
      calls++;
      response.end(event('Becau'));
    });
    expect(await answering.answer({ id: 'a', text: 'why?' })).toBe(true);
    expect(calls).toBe(3);
    expect(written.at(-1)).toMatchObject({ done: true, text: '', error: 'the answer broke off' });
  });

  it('does not ask again what is refused', async () => {
    let calls = 0;
    const { answering, written } = await answeringWith((_request, response) => {
      calls++;
      response.writeHead(413).end('{"error": {"message": "too many tokens"}}');
    });
    expect(await answering.answer({ id: 'a', text: 'why?' })).toBe(true);
    expect(calls).toBe(1);
    expect(written).toEqual([expect.objectContaining({ done: true, error: '413: too many tokens' })]);
  });

  it('waits for one who can answer, however often it takes', async () => {
    let calls = 0;
    const { answering, written, logged } = await answeringWith((request, response) => {
      calls++;
      if (calls > 3) return whole(request, response);
      response.writeHead(calls === 1 ? 404 : 503).end('{"detail": "no replica"}');
    });
    expect(await answering.answer({ id: 'a', text: 'why?' })).toBe(true);
    expect(written.at(-1)).toMatchObject({ done: true, text: 'Because of light.' });
    expect(logged[0]).toContain('404: no replica');
  });

  it('gives back what waits and finishes what is written when it is to stop', async () => {
    const waiting = await answeringWith(() => waiting.answering.stop());
    expect(await waiting.answering.answer({ id: 'a', text: 'why?' })).toBe(false);
    expect(waiting.written).toEqual([]);

    const writing = await answeringWith((_request, response) => {
      response.write(event('Because '));
      const timer = setInterval(() => {
        if (!writing.answering.isWriting) return;
        clearInterval(timer);
        writing.answering.stop();
        response.end(`${event('of light.')}data: [DONE]\n\n`);
      }, 1);
    });
    expect(await writing.answering.answer({ id: 'b', text: 'why?' })).toBe(true);
    expect(writing.written.at(-1)).toMatchObject({ done: true, text: 'Because of light.' });
  });

  it('writes why a message cannot be answered', async () => {
    const { answering, written } = await answeringWith(whole);
    expect(await answering.answer({ id: 'a', problem: 'the question is empty' })).toBe(true);
    expect(written).toEqual([expect.objectContaining({ id: 'a', done: true, error: 'the question is empty' })]);
  });
});
