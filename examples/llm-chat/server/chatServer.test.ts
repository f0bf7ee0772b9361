import { describe, expect, it } from 'vitest';
import { RecitingEngine } from '../testing/recitingEngine.fixture.ts';
import { readEvents, RunningServer } from '../testing/runningServer.fixture.ts';

const poem = ['The', ' fog', ' comes', ' on', ' little', ' cat', ' feet', '.'];

describe('a chat', () => {
  it('is answered as OpenAI answers it', async () => {
    await using running = await RunningServer.start(new RecitingEngine(poem));
    const response = await running.chat({ model: 'reciter' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: expect.stringMatching(/^chatcmpl-/),
      object: 'chat.completion',
      created: expect.closeTo(Date.now() / 1000, -2),
      model: 'reciter',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'The fog comes on little cat feet.' },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 3,
        completion_tokens: 8,
        total_tokens: 11,
        prompt_tokens_details: { cached_tokens: 1 },
      },
    });
    expect(running.log.join('\n')).toMatch(/POST \/v1\/chat\/completions 200 \d+ ms, 3\+8 tokens/);
  });

  it('is streamed event by event, with the usage at the end if asked for', async () => {
    await using running = await RunningServer.start(new RecitingEngine(poem.slice(0, 2)));
    const response = await running.chat({ stream: true, stream_options: { include_usage: true } });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const event = (delta: object, finish_reason: string | null = null) =>
      expect.objectContaining({
        object: 'chat.completion.chunk',
        choices: [{ index: 0, delta, logprobs: null, finish_reason }],
        usage: null,
      });
    expect(await readEvents(response)).toEqual([
      event({ role: 'assistant', content: '' }),
      event({ content: 'The' }),
      event({ content: ' fog' }),
      event({}, 'stop'),
      expect.objectContaining({ choices: [], usage: expect.objectContaining({ completion_tokens: 2 }) }),
      '[DONE]',
    ]);
  });

  it('shows each piece when it is there', async () => {
    const engine = new RecitingEngine(poem);
    engine.hold();
    await using running = await RunningServer.start(engine);
    const asked = running.chat({ stream: true });
    engine.allow(1);
    const reader = (await asked).body!.pipeThrough(new TextDecoderStream()).getReader();
    let seen = '';
    while (!seen.includes('"The"')) seen += (await reader.read()).value ?? '';
    expect(engine.computed).toBe(1);
    engine.allow(100);
    for (let part = await reader.read(); !part.done; part = await reader.read()) seen += part.value;
    expect(seen).toMatch(/data: \[DONE\]\n\n$/);
    expect(seen).not.toContain('usage');
  });

  it('is cut at the length that was asked for, and no token more is computed', async () => {
    const engine = new RecitingEngine(poem);
    await using running = await RunningServer.start(engine);
    for (const fields of [{ max_tokens: 3 }, { max_completion_tokens: 3, max_tokens: 5 }]) {
      const { choices, usage } = (await (await running.chat(fields)).json()) as {
        choices: object[];
        usage: { completion_tokens: number };
      };
      expect(choices[0]).toMatchObject({ message: { content: 'The fog comes' }, finish_reason: 'length' });
      expect(usage.completion_tokens).toBe(3);
    }
    expect(engine.computed).toBe(6);
  });

  it('has the length of the server if it names none, as far as there is room', async () => {
    const endless = Array.from({ length: 100 }, () => 'on ');
    await using running = await RunningServer.start(new RecitingEngine(endless, 30));
    const lengthAfter = async (words: number) => {
      const content = 'word '.repeat(words);
      const answer = await running.chat({ messages: [{ role: 'user', content }] });
      return ((await answer.json()) as { usage: { completion_tokens: number } }).usage.completion_tokens;
    };
    expect(await lengthAfter(4)).toBe(20);
    expect(await lengthAfter(24)).toBe(5);
  });

  it.each([{ stop: [' cat'] }, { stop: 'le cat' }, { stop: ['feet', ' cat feet', 't'] }])(
    'ends before a stop sequence: $stop',
    async ({ stop }) => {
      await using running = await RunningServer.start(new RecitingEngine(poem));
      const whole = (await (await running.chat({ stop })).json()) as { choices: { message: { content: string } }[] };
      const poemText = poem.join('');
      const expected = poemText.slice(0, Math.min(...[stop].flat().map((text) => poemText.indexOf(text))));
      expect(whole.choices[0]).toMatchObject({ message: { content: expected }, finish_reason: 'stop' });
      const events = (await readEvents(await running.chat({ stop, stream: true }))) as {
        choices?: { delta: { content?: string } }[];
      }[];
      expect(events.map((event) => event.choices?.[0]?.delta.content ?? '').join('')).toBe(expected);
    },
  );

  it('passes on how to sample', async () => {
    const engine = new RecitingEngine(poem);
    await using running = await RunningServer.start(engine);
    await running.chat({ temperature: 1.5, top_p: 0.5, seed: 7, frequency_penalty: 1, presence_penalty: -1 });
    await running.chat({ temperature: null });
    expect(engine.started.map(({ options }) => options)).toEqual([
      { temperature: 1.5, topP: 0.5, seed: 7, frequencyPenalty: 1, presencePenalty: -1 },
      { temperature: 0.2, topP: 1, seed: undefined, frequencyPenalty: 0, presencePenalty: 0 },
    ]);
  });

  it('takes text in parts, and roles of newer clients', async () => {
    const engine = new RecitingEngine(poem);
    await using running = await RunningServer.start(engine);
    const content = [
      { type: 'text', text: 'two words' },
      { type: 'text', text: 'and three more' },
    ];
    await running.chat({
      messages: [
        { role: 'developer', content: 'be brief' },
        { role: 'user', content },
      ],
    });
    expect(engine.started).toMatchObject([{ promptTokens: 9 }]);
  });
});

describe('a text', () => {
  it('is gone on with, by 16 tokens if no length is named', async () => {
    const endless = Array.from({ length: 100 }, (_, index) => ` ${index}`);
    await using running = await RunningServer.start(new RecitingEngine(endless));
    const first16 = endless.slice(0, 16).join('');
    const whole = await running.post('/v1/completions', { prompt: ['Count on'] });
    expect(await whole.json()).toMatchObject({
      object: 'text_completion',
      choices: [{ text: first16, finish_reason: 'length' }],
      usage: { prompt_tokens: 2, completion_tokens: 16 },
    });
    const events = await readEvents(await running.post('/v1/completions', { prompt: 'Count on', stream: true }));
    expect(events.at(-1)).toBe('[DONE]');
    const texts = (events.slice(0, -1) as { choices: { text: string }[] }[]).map(({ choices }) => choices[0]?.text);
    expect(texts.join('')).toBe(first16);
  });
});

describe('the server', () => {
  it('is alive before it is ready', async () => {
    await using running = await RunningServer.start();
    const get = (path: string) => fetch(running.url + path);
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(503);
    const early = await running.chat();
    expect(early.status).toBe(503);
    expect(early.headers.get('retry-after')).toBe('1');
    expect(await early.json()).toMatchObject({ error: { code: 'model_loading', type: 'server_error' } });
    running.server.useEngine(new RecitingEngine(poem));
    expect(await (await get('/readyz')).json()).toEqual({ status: 'ready' });
    expect((await running.chat()).status).toBe(200);
  });

  it('names its model and how much it reads', async () => {
    await using running = await RunningServer.start(new RecitingEngine(poem, 512));
    expect(await (await fetch(`${running.url}/v1/models`)).json()).toMatchObject({
      object: 'list',
      data: [{ id: 'reciter', object: 'model', max_model_len: 512 }],
    });
  });

  it('says in its own words when the engine fails, and goes on', async () => {
    const engine = new RecitingEngine(poem);
    await using running = await RunningServer.start(engine);
    engine.failure = { atToken: 1, error: new Error('out of memory') };
    const whole = await running.chat();
    expect(whole.status).toBe(500);
    expect(await whole.json()).toMatchObject({ error: { type: 'server_error' } });
    expect(running.log.join('\n')).toContain('out of memory');
    const events = await readEvents(await running.chat({ stream: true }));
    expect(events.at(-1)).toMatchObject({ error: { type: 'server_error' } });
    expect(events).not.toContain('[DONE]');
    engine.failure = undefined;
    expect((await running.chat()).status).toBe(200);
    expect(await running.metric('vllm:request_success_total{finished_reason="error"}')).toBe(2);
  });
});

describe('a refusal', () => {
  const user = { role: 'user', content: 'hello' };
  const chat = '/v1/chat/completions';
  it.each([
    [chat, '{"messages": [', 400, 'invalid_json', null, 'the body is not JSON'],
    [chat, '[]', 400, null, null, 'must be a JSON object, not []'],
    [chat, {}, 400, 'invalid_value', 'messages', 'at least one message'],
    [chat, { messages: [{ role: 'robot', content: '' }] }, 400, 'invalid_value', 'messages[0].role', 'not "robot"'],
    [chat, { messages: [{ role: 'user' }] }, 400, 'invalid_value', 'messages[0].content', 'must be a text'],
    [
      chat,
      { messages: [{ role: 'user', content: [{ type: 'image_url' }] }] },
      400,
      'invalid_value',
      'messages[0].content[0]',
      'reads text only',
    ],
    [chat, { messages: [user, { role: 'assistant', content: 'hi' }] }, 400, null, 'messages', 'must be of the user'],
    [chat, { messages: [user], model: 'gpt-5' }, 404, 'model_not_found', 'model', 'this server has "reciter"'],
    [chat, { messages: [user], max_tokens: 0 }, 400, 'invalid_value', 'max_tokens', 'at least 1, not 0'],
    [chat, { messages: [user], max_tokens: 1.5 }, 400, 'invalid_value', 'max_tokens', 'whole number'],
    [chat, { messages: [user], max_tokens: 63 }, 400, 'context_length_exceeded', 'max_tokens', 'room for 62'],
    [chat, { messages: [user], temperature: 3 }, 400, 'invalid_value', 'temperature', 'from 0 to 2, not 3'],
    [chat, { messages: [user], temperature: '1' }, 400, 'invalid_value', 'temperature', 'not "1"'],
    [chat, { messages: [user], stop: ['a', ''] }, 400, 'invalid_value', 'stop', 'none of them empty'],
    [chat, { messages: [user], stop: ['a', 'b', 'c', 'd', 'e'] }, 400, 'invalid_value', 'stop', 'at most 4'],
    [chat, { messages: [user], stream: 'yes' }, 400, 'invalid_value', 'stream', 'true or false, not "yes"'],
    [chat, { messages: [user], stream_options: {} }, 400, 'invalid_value', 'stream_options', '"stream": true'],
    [chat, { messages: [user], n: 2 }, 400, 'invalid_value', 'n', 'not supported'],
    [chat, { messages: [user], tools: [{}] }, 400, 'invalid_value', 'tools', 'not supported'],
    ['/v1/completions', { prompt: ['a', 'b'] }, 400, 'invalid_value', 'prompt', 'a list of one text'],
    ['/v1/completions', { prompt: 'a '.repeat(64) }, 400, 'context_length_exceeded', null, 'has 64 tokens'],
    ['/v1/completions', 'x'.repeat(1024 * 1024 + 1), 413, 'body_too_large', null, 'at most 1048576 bytes'],
    ['/v1/embeddings', {}, 404, 'not_found', null, 'nothing at /v1/embeddings'],
    ['/v1/models', {}, 405, 'method_not_allowed', null, 'takes GET, not POST'],
  ])('of %s %j is %i %s', async (path, body, status, code, param, says) => {
    const engine = new RecitingEngine(poem);
    await using running = await RunningServer.start(engine);
    const response = await running.post(path, body);
    expect(response.status).toBe(status);
    const type = status >= 500 ? 'server_error' : 'invalid_request_error';
    expect(await response.json()).toEqual({ error: { message: expect.stringContaining(says), type, code, param } });
    expect(engine.started).toEqual([]);
  });

  it('is not given for what changes nothing', async () => {
    await using running = await RunningServer.start(new RecitingEngine(poem));
    const fields = { n: 1, logprobs: false, tools: [], response_format: { type: 'text' }, user: 'me', stop: null };
    expect((await running.chat(fields)).status).toBe(200);
  });
});
