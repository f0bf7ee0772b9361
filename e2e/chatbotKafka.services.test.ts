import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { WorkloadStatus } from '@ebb/documents';
import { available, type KafkaService, startKafka, until } from '@ebb/testing/services';
import { Consumer, stringDeserializers } from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AnswerMessage, readAnswer } from '../examples/chatbot-kafka/consumer/answer.ts';
import { Desk } from '../examples/chatbot-kafka/demo/desk.ts';
import { ebb, type RunningEbb, root, startEbb } from './ebbCommand.ts';

/**
 * The chatbot example as it is shipped: its documents, its consumers as processes of a real Ebb, a real Kafka. Only the
 * one who answers is replaced, by an echo.
 */
const folder = join(root, 'examples/chatbot-kafka');
const scaledObject = readFileSync(join(folder, 'scaledobject.yaml'), 'utf8');
const partitions = 12;
const least = 5;
const lagThreshold = 2;
const withinMs = 90_000;

const environment = { ANSWERER: 'echo', ECHO_DELAY_MS: '3000' };
const environmentBefore = { ...process.env };
let kafka: KafkaService;
let running: RunningEbb;
let desk: Desk;

async function statusOf(): Promise<WorkloadStatus> {
  const headers = { authorization: `Bearer ${running.token}` };
  const response = await fetch(`${running.apiUrl}/api/v1/namespaces/default/workloads/chatbot/status`, { headers });
  return (await response.json()) as WorkloadStatus;
}

async function untilStatus(what: string, holds: (status: WorkloadStatus) => boolean): Promise<WorkloadStatus> {
  let status = await statusOf();
  const check = async () => holds((status = await statusOf()));
  await until(check, { withinMs, what: () => `${what} (found ${JSON.stringify(status.replicas)})` });
  return status;
}

/** Questions that the group has not committed, by Kafka's own tool. */
async function lagOf(): Promise<number> {
  const offsets = (await kafka.tools.groupOffsets('chatbot')).filter(({ topic }) => topic === 'questions');
  return offsets.reduce((sum, { endOffset, committedOffset = 0 }) => sum + endOffset - committedOffset, 0);
}

async function untilLag(wanted: number): Promise<void> {
  let lag = Number.NaN;
  const check = async () => (lag = await lagOf()) === wanted;
  await until(check, { withinMs, what: () => `a lag of ${wanted} (found ${lag})` });
}

async function apply(text: string): Promise<void> {
  const response = await fetch(`${running.apiUrl}/api/v1/apply`, {
    method: 'POST',
    headers: { authorization: `Bearer ${running.token}`, 'content-type': 'application/yaml' },
    body: text,
  });
  expect(response.status, await response.text()).toBe(200);
}

/** The first whole answers to questions with ids that begin so, in the order of the questions. */
async function answersTo(idPrefix: string, count: number): Promise<AnswerMessage[]> {
  const consumer = new Consumer({
    clientId: 'chatbot-test',
    groupId: `chatbot-test-${randomUUID()}`,
    bootstrapBrokers: [kafka.bootstrapServers],
    deserializers: stringDeserializers,
  });
  const found: AnswerMessage[] = [];
  const stream = await consumer.consume({ topics: ['answers'], mode: 'earliest', autocommit: false });
  for await (const { value } of stream) {
    const answer = readAnswer(value);
    if (answer?.done && answer.id.startsWith(idPrefix) && found.every(({ id }) => id !== answer.id)) found.push(answer);
    if (found.length >= count) break;
  }
  await consumer.close(true);
  // Each of them is on a partition of its own: between those there is no order.
  return found.sort((left, right) => offsetIn(left.id) - offsetIn(right.id));
}

const offsetIn = (id: string) => Number(id.split('-').at(-1));

const withAnnotation = (line: string) =>
  scaledObject.replace('metadata:\n', () => `metadata:\n  annotations:\n    ${line}\n`);

describe.runIf(available('kafka'))('chatbot-kafka', () => {
  beforeAll(async () => {
    kafka = await startKafka();
    await kafka.tools.createTopic('questions', partitions);
    await kafka.tools.createTopic('answers', 4);
    Object.assign(process.env, environment, { KAFKA_BOOTSTRAP_SERVERS: kafka.bootstrapServers });
    running = await startEbb([join(folder, 'workload.yaml'), join(folder, 'scaledobject.yaml')]);
    desk = new Desk([kafka.bootstrapServers]);
    await desk.open();
  });

  afterAll(async () => {
    await desk?.close();
    await running?.stop();
    await kafka?.stop();
    for (const name of [...Object.keys(environment), 'KAFKA_BOOTSTRAP_SERVERS']) {
      if (environmentBefore[name] === undefined) delete process.env[name];
      else process.env[name] = environmentBefore[name];
    }
  });

  it("uses nothing but KEDA's own words", async () => {
    expect(scaledObject).not.toContain('ebb.dev');
    const checked = await ebb(['validate', '-f', join(folder, 'scaledobject.yaml')]);
    expect(checked, checked.stderr).toMatchObject({ code: 0 });
    expect(checked.stdout + checked.stderr).not.toMatch(/warning|hint/i);
  });

  it('keeps the least number while nobody asks', async () => {
    const status = await untilStatus('five consumers', ({ replicas }) => replicas.ready === least);
    expect(status).toMatchObject({
      minReplicas: least,
      maxReplicas: 100,
      scaledBy: { kind: 'ScaledObject', name: 'chatbot', mode: 'exact' },
    });
  });

  it("answers 40 questions while the consumers follow the lag by KEDA's rule", async () => {
    const seen: { lag: number; wanted: number }[] = [];
    const answers = Promise.all(
      Array.from({ length: 40 }, async (_, index) => {
        const asked = await desk.ask(`what is ${index} and ${index}?`);
        return { ...asked, index };
      }),
    );
    const done = new AbortController();
    const watching = (async () => {
      while (!done.signal.aborted) {
        const { scaledBy, replicas } = await statusOf();
        const [trigger] = scaledBy?.triggers ?? [];
        expect(trigger).toMatchObject({ name: 'questions', type: 'kafka', target: lagThreshold });
        if (trigger?.value != null) seen.push({ lag: trigger.value, wanted: replicas.wanted });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    for (const asked of await answers) {
      expect(asked).toMatchObject({ text: `You asked: what is ${asked.index} and ${asked.index}?`, error: null });
    }
    done.abort();
    await watching;

    const mostLag = Math.max(...seen.map(({ lag }) => lag));
    const mostWanted = Math.max(...seen.map(({ wanted }) => wanted));
    // The HPA syncs every 15 s, and five consumers do not come down to ten questions in that time.
    expect(mostLag).toBeGreaterThan(least * lagThreshold);
    // KEDA bounds what counts by the partitions, and rounds down where it compares.
    expect(Math.floor(mostLag / lagThreshold)).toBeLessThanOrEqual(partitions);
    expect(mostWanted).toBeGreaterThan(least);
    expect(mostWanted).toBeLessThanOrEqual(Math.ceil(mostLag / lagThreshold));
    await untilLag(0);
  });

  it('loses nothing when a consumer is killed while it answers', async () => {
    const { replicaList } = await untilStatus('ready consumers', ({ replicas }) => replicas.ready >= least);
    const victims = replicaList.filter(({ phase, pid }) => phase === 'ready' && pid !== null);
    let begun = 0;
    const killed: string[] = [];
    const onPiece = () => {
      begun++;
      if (begun !== 3) return;
      for (const { pid, id } of victims.slice(0, 3)) {
        process.kill(pid as number, 'SIGKILL');
        killed.push(id);
      }
    };
    const asked = await Promise.all(
      Array.from({ length: 30 }, (_, index) => desk.ask(`do you live, number ${index}?`, onPiece)),
    );
    expect(killed).toHaveLength(3);
    expect(asked.map(({ text }) => text)).toEqual(
      Array.from({ length: 30 }, (_, index) => `You asked: do you live, number ${index}?`),
    );
    await untilLag(0);
  });

  it('answers what can never be answered with an error, and what is plain words, and goes on', async () => {
    const answers = answersTo('questions-0-', 4);
    await kafka.tools.produce('questions', ['{"question": 7}', '{"broken', 'plain words', '{"question": " "}'], {
      partition: 0,
    });
    const found = (await answers).map(({ text, error }) => error ?? text);
    expect(found).toEqual([
      'the message has no text in its field "question"',
      expect.stringContaining('the message is no valid JSON'),
      'You asked: plain words',
      'the question is empty',
    ]);
    await untilLag(0);
  });

  it('stands still while the annotation says so, and goes on from there', async () => {
    await apply(withAnnotation('autoscaling.keda.sh/paused-replicas: "0"'));
    await untilStatus('no consumer', ({ replicas }) => replicas.ready + replicas.draining + replicas.wanted === 0);
    let isAnswered = false;
    const asked = desk.ask('is anybody there?').then((answer) => {
      isAnswered = true;
      return answer;
    });
    await untilLag(1);
    expect(isAnswered).toBe(false);
    expect((await statusOf()).replicas).toMatchObject({ wanted: 0, ready: 0 });
    await apply(scaledObject);
    expect(await asked).toMatchObject({ text: 'You asked: is anybody there?', error: null, answers: 1 });
    await untilStatus('five consumers', ({ replicas }) => replicas.ready === least);
  });

  it('is one command', async () => {
    const args = ['--answerer', 'echo', '--ask', 'one command?', '--times', '6', '--small', '--echo-delay', '10'];
    const own = ['--bootstrap', kafka.bootstrapServers, '--data', join(running.data, '..', 'other', '.ebb')];
    const [code, output] = await new Promise<[number, string]>((resolve) => {
      execFile(process.execPath, [join(folder, 'demo.mjs'), ...args, ...own], (error, stdout, stderr) => {
        resolve([error ? Number(error.code ?? 1) : 0, stdout + stderr]);
      });
    });
    expect(code, output).toBe(0);
    expect(output).toContain('6 asked, 6 answered, 0 errors');
  });

  it('goes on by itself after the broker was away', async () => {
    const before = (await statusOf()).replicaList.map(({ pid }) => pid);
    const ids = Array.from({ length: 12 }, (_, index) => `away-${index}`);
    await kafka.tools.produce(
      'questions',
      ids.map((id) => JSON.stringify({ id, question: `where were you, ${id}?` })),
    );
    await kafka.kill();
    await kafka.restart();
    await untilLag(0);
    const answers = await answersTo('away-', ids.length);
    expect(answers.map(({ text }) => text)).toEqual(ids.map((id) => `You asked: where were you, ${id}?`));
    // None of them ended; the lag of the meantime may have brought more.
    expect((await statusOf()).replicaList.map(({ pid }) => pid)).toEqual(expect.arrayContaining(before));
  });
});
