#!/usr/bin/env node
// Asks a server with an OpenAI-compatible API and shows the answer as it comes.
import { parseArgs } from 'node:util';

const usage = `node ask.mjs [flags] QUESTION    (without a question: reads it from standard input)

  --url URL            of the server or of Ebb's gateway (http://127.0.0.1:8080)
  --model NAME         (smollm2-135m-instruct)
  --system TEXT        what the model is told about its role
  --max-tokens N       (the server's)
  --temperature N      (the server's)
`;

class AskError extends Error {}

function readFlags() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        url: { type: 'string', default: 'http://127.0.0.1:8080' },
        model: { type: 'string', default: 'smollm2-135m-instruct' },
        system: { type: 'string' },
        'max-tokens': { type: 'string' },
        temperature: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new AskError(`${error.message}\n\n${usage}`);
  }
}

async function readInput() {
  let text = '';
  for await (const chunk of process.stdin) text += chunk;
  return text.trim();
}

/** The events of a stream as parsed JSON, without the closing `[DONE]`. @param {ReadableStream<Uint8Array>} body */
async function* eventsOf(body) {
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    const lines = text.split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) {
      const data = line.startsWith('data:') ? line.slice(5).trim() : '';
      if (data !== '' && data !== '[DONE]') yield JSON.parse(data);
    }
  }
}

/** @param {Response} response */
async function refusalOf(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    // OpenAI's shape from the server, problem+json from the gateway.
    return body.error?.message ?? body.detail ?? text;
  } catch {
    return text;
  }
}

async function ask() {
  const { values, positionals } = readFlags();
  if (values.help) return process.stdout.write(usage);
  const question = positionals.length > 0 ? positionals.join(' ') : await readInput();
  if (question === '') throw new AskError(`there is no question\n\n${usage}`);
  const messages = [{ role: 'user', content: question }];
  if (values.system !== undefined) messages.unshift({ role: 'system', content: values.system });

  const startedAtMs = performance.now();
  const response = await fetch(new URL('/v1/chat/completions', values.url), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      model: values.model,
      messages,
      ...(values['max-tokens'] === undefined ? {} : { max_tokens: Number(values['max-tokens']) }),
      ...(values.temperature === undefined ? {} : { temperature: Number(values.temperature) }),
      stream: true,
      stream_options: { include_usage: true },
    }),
  });
  if (!response.ok || !response.body) throw new AskError(`${response.status}: ${await refusalOf(response)}`);

  let firstMs;
  let usageOfAnswer;
  for await (const event of eventsOf(response.body)) {
    if (event.error) throw new AskError(`\n${event.error.message}`);
    const piece = event.choices?.[0]?.delta?.content ?? '';
    if (piece !== '') firstMs ??= performance.now() - startedAtMs;
    process.stdout.write(piece);
    usageOfAnswer = event.usage ?? usageOfAnswer;
  }
  const tookMs = performance.now() - startedAtMs;
  process.stdout.write('\n');
  const waitedMs = response.headers.get('x-ebb-waited-ms');
  const held = waitedMs && Number(waitedMs) > 0 ? `held ${waitedMs} ms, ` : '';
  const tokens = usageOfAnswer?.completion_tokens ?? 0;
  const writingSeconds = Math.max(1, tookMs - (firstMs ?? tookMs)) / 1000;
  const rate = tokens > 1 ? `, ${Math.round((tokens - 1) / writingSeconds)}/s` : '';
  process.stderr.write(`(${held}first token after ${Math.round(firstMs ?? tookMs)} ms, ${tokens} tokens${rate})\n`);
}

try {
  await ask();
} catch (error) {
  const reason = error.cause?.code === 'ECONNREFUSED' ? 'nothing listens there; is the server running?' : error.message;
  process.stderr.write(`ask: ${reason}\n`);
  process.exitCode = 1;
}
