import { describe, expect, it } from 'vitest';
import { until } from '../../workerProcess.ts';
import { RecitingEngine } from '../testing/recitingEngine.fixture.ts';
import { readEvents, RunningServer } from '../testing/runningServer.fixture.ts';

const words = ['one', ' two', ' three', ' four'];

function heldEngine(recited: readonly string[] = words): RecitingEngine {
  const engine = new RecitingEngine(recited);
  engine.hold();
  return engine;
}

describe('more requests than run at once', () => {
  it('wait, and beyond that are refused at once', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine, { parallel: 2, maxWaiting: 1 });
    const answers = [running.chat(), running.chat()];
    await running.reaches('vllm:num_requests_running', 2);
    answers.push(running.chat());
    await running.reaches('vllm:num_requests_waiting', 1);
    const refused = await running.chat();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('1');
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } });
    engine.allow(100);
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(engine.mostRunning).toBe(2);
    expect(await running.metric('vllm:num_requests_running')).toBe(0);
    expect(await running.metric('vllm:request_queue_time_seconds_count')).toBe(3);
  });

  it('have their turn in the order they came', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine, { maxWaiting: 3 });
    const answers: Promise<Response>[] = [];
    for (const length of [1, 2, 3]) {
      answers.push(running.post('/v1/completions', { prompt: 'word '.repeat(length) }));
      await (length === 1
        ? running.reaches('vllm:num_requests_running', 1)
        : running.reaches('vllm:num_requests_waiting', length - 1));
    }
    engine.allow(100);
    await Promise.all(answers);
    expect(engine.started.map(({ promptTokens }) => promptTokens)).toEqual([1, 2, 3]);
  });
});

describe('a caller who goes away', () => {
  it('ends the generation at once and makes room', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine);
    const caller = new AbortController();
    const asked = running.chat({ stream: true }, caller.signal);
    engine.allow(2);
    await (await asked).body!.getReader().read();
    const next = running.chat();
    await running.reaches('vllm:num_requests_waiting', 1);
    caller.abort();
    await running.reaches('vllm:num_requests_waiting', 0);
    expect(engine.computed).toBeLessThanOrEqual(2);
    expect(await running.metric('vllm:request_success_total{finished_reason="abort"}')).toBe(1);
    engine.allow(100);
    expect((await next).status).toBe(200);
    expect(running.log.some((line) => / 499 /.test(line))).toBe(true);
  });

  it('gives up the place in the queue', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine, { maxWaiting: 1 });
    const first = running.chat();
    await running.reaches('vllm:num_requests_running', 1);
    const caller = new AbortController();
    const second = running.chat({}, caller.signal).catch((error: Error) => error.name);
    await running.reaches('vllm:num_requests_waiting', 1);
    caller.abort();
    expect(await second).toBe('AbortError');
    await running.reaches('vllm:num_requests_waiting', 0);
    const third = running.chat();
    await running.reaches('vllm:num_requests_waiting', 1);
    engine.allow(100);
    expect((await Promise.all([first, third])).map(({ status }) => status)).toEqual([200, 200]);
    expect(engine.started).toHaveLength(2);
  });

  it('or does not read is not written for without end', async () => {
    const large = 'x'.repeat(64 * 1024);
    const engine = new RecitingEngine(
      Array.from({ length: 4_000 }, () => large),
      100_000,
    );
    await using running = await RunningServer.start(engine);
    const caller = new AbortController();
    const response = await running.chat({ stream: true, max_tokens: 4_000 }, caller.signal);
    let before = -1;
    await until(
      async () => {
        const still = engine.computed === before;
        before = engine.computed;
        return still;
      },
      10_000,
      () => `${engine.computed} tokens`,
    );
    expect(engine.computed).toBeLessThan(1_000);
    expect(response.bodyUsed).toBe(false);
    caller.abort();
    await running.reaches('vllm:num_requests_running', 0);
  });
});

describe('the metrics', () => {
  it('say how full the cache is and what was computed', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine, { parallel: 2 });
    const asked = running.chat({ stream: true });
    await running.reaches('vllm:num_requests_running', 1);
    // Three tokens of the prompt, of two sequences with 64 each.
    await running.reaches('vllm:kv_cache_usage_perc', 3 / 128);
    engine.allow(2);
    await running.reaches('vllm:gpu_cache_usage_perc', 5 / 128);
    expect(await running.metric('vllm:prompt_tokens_total')).toBe(3);
    expect(await running.metric('vllm:generation_tokens_total')).toBe(2);
    engine.allow(100);
    await (await asked).text();
    for (const [name, value] of [
      ['kv_cache_usage_perc', 0],
      ['generation_tokens_total', 4],
      ['prefix_cache_hits_total', 1],
      ['time_to_first_token_seconds_count', 1],
      ['time_to_first_token_seconds_bucket{le="+Inf"}', 1],
      ['time_per_output_token_seconds_count', 3],
      ['e2e_request_latency_seconds_count', 1],
      ['request_success_total{finished_reason="stop"}', 1],
    ] as const) {
      expect(await running.metric(`vllm:${name}`), name).toBe(value);
    }
  });

  it('are in the format of Prometheus', async () => {
    await using running = await RunningServer.start(new RecitingEngine(words));
    await (await running.chat()).text();
    const response = await fetch(`${running.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const line of text.trimEnd().split('\n')) {
      expect(line).toMatch(/^(# (HELP|TYPE) vllm:\w+ .+|vllm:\w+\{model_name="reciter"(,\w+="[^"]+")*\} [\d.e-]+)$/);
    }
    const buckets = [...text.matchAll(/time_to_first_token_seconds_bucket\{.*\} (\d+)/g)].map(([, count]) =>
      Number(count),
    );
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
  });
});

describe('a server that is told to stop', () => {
  it('finishes what runs and what waits, and takes nothing new', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine);
    const answers = [running.chat(), running.chat()];
    await running.reaches('vllm:num_requests_waiting', 1);
    let stopped = false;
    const stopping = running.server.stop(60_000).then(() => {
      stopped = true;
    });
    await until(
      () =>
        fetch(`${running.url}/healthz`, { headers: { connection: 'close' } }).then(
          () => false,
          () => true,
        ),
      5_000,
      () => 'it still takes connections',
    );
    expect(stopped).toBe(false);
    engine.allow(100);
    for (const answer of await Promise.all(answers)) {
      expect(await answer.json()).toMatchObject({ choices: [{ message: { content: 'one two three four' } }] });
    }
    await stopping;
  });

  it('breaks off what is not done when the grace is over, and says so', async () => {
    const engine = heldEngine();
    await using running = await RunningServer.start(engine);
    const streaming = running.chat({ stream: true });
    engine.allow(1);
    const response = await streaming;
    const waiting = running.chat();
    await running.reaches('vllm:num_requests_waiting', 1);
    await running.server.stop(1);
    const events = await readEvents(response);
    expect(events.at(-1)).toMatchObject({ error: { code: 'shutting_down' } });
    expect((await waiting).status).toBe(503);
    expect(engine.running).toBe(0);
  });
});
