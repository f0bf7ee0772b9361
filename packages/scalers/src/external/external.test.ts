import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { ServerCredentials } from '@grpc/grpc-js';
import { fromJSON, loadSync } from '@grpc/proto-loader';
import { afterEach, describe, expect, it } from 'vitest';
import type { AnyScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import type { ScalerContext, SourceReading, TriggerSource } from '../contract/source.ts';
import { readOnce, readUntil, soon, testContext } from '../contract/sourceConformance.fixture.ts';
import { openTrigger, type TriggerValues } from '../runtime/openTrigger.ts';
import { blackHole, tlsFiles } from '../../../testing/src/services/index.ts';
import { contract, loading, serviceName } from './contract.ts';
import { external, externalPush } from './external.ts';
import { status, TestScaler } from './server.fixture.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(scaler = new TestScaler(), credentials?: ServerCredentials): Promise<TestScaler> {
  await scaler.start(credentials);
  ends.push(() => scaler.stop());
  return scaler;
}

interface Opened {
  source: TriggerSource;
  context: ScalerContext;
  read(): Promise<SourceReading>;
}

function opened(
  address: string,
  { metadata = {}, ...rest }: Partial<TriggerValues> = {},
  definition: AnyScaler = external,
): Opened {
  const context = testContext({ ...soon, object: { namespace: 'shop', name: 'worker', kind: 'ScaledObject' } });
  const values = { metadata: { scalerAddress: address, ...metadata }, auth: {}, env: {}, ...rest };
  const source = openTrigger(definition, values, context);
  ends.push(async () => {
    await source.close();
    expect(context.connections.size).toBe(0);
  });
  return { source, context, read: () => readOnce(source, context) };
}

async function failure(read: Promise<SourceReading>): Promise<SourceError> {
  const error: unknown = await read.then(
    (reading) => new Error(`read ${JSON.stringify(reading)}`),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof SourceError)) throw error;
  return error;
}

const queue = (value: object, target: object = { targetSize: 5 }, metricName = 'queue') => ({
  metricName,
  target,
  values: [value],
});

describe('the contract', () => {
  it('is the same on the wire as the published file', () => {
    const file = fileURLToPath(new URL('./externalScaler.proto', import.meta.url));
    const published = loadSync(file, loading)[serviceName] as object;
    const own = fromJSON(contract as Parameters<typeof fromJSON>[0], loading)[serviceName] as object;
    const shape = (methods: object) =>
      Object.entries(methods).map(([name, { path, requestStream, responseStream, requestType, responseType }]) => ({
        name,
        path,
        requestStream,
        responseStream,
        request: fieldsOf(requestType),
        response: fieldsOf(responseType),
      }));
    const fieldsOf = ({ type }: { type: { name: string; field: Record<string, unknown>[] } }) => [
      type.name,
      type.field.map(({ name, number, type: kind, label }) => [name, number, kind, label]),
    ];
    expect(shape(own)).toEqual(shape(published));
    expect(Object.keys(own)).toHaveLength(5);
  });

  it('has the field numbers of KEDA', () => {
    const text = readFileSync(new URL('./externalScaler.proto', import.meta.url), 'utf8');
    const fields = [...text.matchAll(/^ {2}(.+) (\w+) = (\d);$/gm)].map(
      ([, type, name, id]) => `${type} ${name} ${id}`,
    );
    expect(fields).toEqual([
      'string name 1',
      'string namespace 2',
      'map<string, string> scalerMetadata 3',
      'bool result 1',
      'repeated MetricSpec metricSpecs 1',
      'string metricName 1',
      'int64 targetSize 2',
      'double targetSizeFloat 3',
      'ScaledObjectRef scaledObjectRef 1',
      'string metricName 2',
      'repeated MetricValue metricValues 1',
      'string metricName 1',
      'int64 metricValue 2',
      'double metricValueFloat 3',
    ]);
  });
});

describe('reading', () => {
  it('reads value, target and activity', async () => {
    const scaler = await started();
    const { read } = opened(scaler.address);
    scaler.metrics = [queue({ metricValue: 17 })];
    expect(await read()).toEqual({ value: 17, active: false, target: 5 });
    scaler.active = true;
    scaler.metrics = [queue({ metricValue: 1, metricValueFloat: 2.5 }, { targetSize: 9, targetSizeFloat: 0.5 })];
    expect(await read()).toEqual({ value: 2.5, active: true, target: 0.5 });
  });

  it.each([
    [{ metricValue: 7, metricValueFloat: -1 }, 7],
    [{ metricValue: -3 }, 0],
    [{ metricValueFloat: -3 }, 0],
    [{ metricValue: 1_000_000_000_000 }, 1_000_000_000_000],
    [{}, 0],
  ])('reads %j as %d', async (value, expected) => {
    const scaler = await started();
    scaler.metrics = [queue(value)];
    expect((await opened(scaler.address).read()).value).toBe(expected);
  });

  it('takes the metric that asks for most, and adds up the values of one', async () => {
    const scaler = await started();
    const { read } = opened(scaler.address);
    const two = { metricName: 'two', target: { targetSize: 10 }, values: [{ metricValue: 25 }, { metricValue: 15 }] };
    scaler.metrics = [queue({ metricValue: 90 }, { targetSize: 30 }, 'one'), two];
    expect(await read()).toMatchObject({ value: 40, target: 10, message: 'two, which asks for most of 2 metrics' });
    scaler.metrics = [queue({ metricValue: 150 }, { targetSize: 30 }, 'one'), two];
    expect(await read()).toMatchObject({ value: 150, target: 30 });
  });

  it('hands on all metadata, variables resolved, and nothing of the authentication', async () => {
    const scaler = await started();
    scaler.metrics = [queue({ metricValue: 1 })];
    const metadata = { queue: 'Größe', hostFromEnv: 'HOST', noneFromEnv: 'NONE', unsafeSsl: 'false' };
    const { read } = opened(scaler.address, { metadata, env: { HOST: 'mq' }, auth: { password: 'secret' } });
    await read();
    expect(scaler.references).toEqual([
      {
        name: 'worker',
        namespace: 'shop',
        scalerMetadata: { scalerAddress: scaler.address, queue: 'Größe', hostFromEnv: 'mq', unsafeSsl: 'false' },
      },
    ]);
  });

  it.each([
    ['no metric', [], 'bad-answer'],
    ['no target', [queue({ metricValue: 1 }, {})], 'bad-answer'],
    ['no value', [{ metricName: 'queue', target: { targetSize: 1 }, values: [] }], 'bad-answer'],
    ['not a number', [queue({ metricValueFloat: Number.NaN })], 'bad-answer'],
    ['infinite', [queue({ metricValueFloat: Number.POSITIVE_INFINITY })], 'bad-answer'],
  ])('does not take %s for a demand of 0', async (_, metrics, code) => {
    const scaler = await started();
    scaler.metrics = metrics;
    expect((await failure(opened(scaler.address).read())).code).toBe(code);
  });

  it.each([
    [status.UNAUTHENTICATED, 'unauthorized'],
    [status.PERMISSION_DENIED, 'unauthorized'],
    [status.NOT_FOUND, 'not-found'],
    [status.INVALID_ARGUMENT, 'bad-setting'],
    [status.INTERNAL, 'bad-answer'],
    [status.UNAVAILABLE, 'unreachable'],
  ])('hears what the scaler says: status %d is %s', async (code, expected) => {
    const scaler = await started();
    scaler.failure = { code, details: 'the queue is gone' };
    const error = await failure(opened(scaler.address).read());
    expect(error.code).toBe(expected);
    expect(error.message).toContain('the queue is gone');
  });

  it('says which method is not implemented', async () => {
    const scaler = await started(new TestScaler(['GetMetricSpec']));
    const error = await failure(opened(scaler.address).read());
    expect(error).toMatchObject({ code: 'unsupported' });
    expect(error.message).toBe(`${scaler.address} does not implement externalscaler.ExternalScaler/GetMetricSpec`);
  });

  it('says at once that nothing listens, and gives up in time where nothing answers', async () => {
    const scaler = await started();
    scaler.stop();
    expect(await failure(opened(scaler.address).read())).toMatchObject({ code: 'unreachable' });

    const hole = await blackHole();
    ends.push(() => hole.stop());
    const { source, read } = opened(hole.address);
    const startedMs = performance.now();
    expect(await failure(read())).toMatchObject({ code: 'timeout' });
    expect(performance.now() - startedMs).toBeLessThan(4000);
    await source.close();
    await expect.poll(() => hole.openConnections()).toBe(0);
  });

  it('gets over a restart without being opened anew', async () => {
    const scaler = await started();
    scaler.metrics = [queue({ metricValue: 1 })];
    const { source, context, read } = opened(scaler.address);
    expect((await read()).value).toBe(1);
    scaler.stop();
    expect((await failure(read())).code).toBe('unreachable');
    scaler.metrics = [queue({ metricValue: 2 })];
    await scaler.start();
    await readUntil(source, context, ({ value }) => value === 2, 8000);
  });

  it('gets over a connection that went dead', async () => {
    const scaler = await started();
    scaler.metrics = [queue({ metricValue: 1 })];
    const line = await deadlyLine(scaler.address);
    const { source, context, read } = opened(line.address);
    expect((await read()).value).toBe(1);
    line.die();
    expect((await failure(read())).code).toBe('timeout');
    scaler.metrics = [queue({ metricValue: 2 })];
    await readUntil(source, context, ({ value }) => value === 2, 8000);
  });

  it('shares one connection between triggers of one scaler', async () => {
    const scaler = await started();
    const context = testContext();
    const values = { metadata: { scalerAddress: scaler.address }, auth: {}, env: {} };
    const sources = [openTrigger(external, values, context), openTrigger(externalPush, values, context)];
    expect(context.connections.size).toBe(1);
    for (const source of sources) await source.close();
    expect(context.connections.size).toBe(0);
  });
});

describe('TLS', () => {
  it('checks the scaler, shows its own certificate, and says what is wrong', async () => {
    const files = await tlsFiles();
    const others = await tlsFiles();
    const pair = { private_key: readFileSync(files.serverKey), cert_chain: readFileSync(files.serverCert) };
    const scaler = await started(
      new TestScaler(),
      ServerCredentials.createSsl(readFileSync(files.caCert), [pair], true),
    );
    scaler.metrics = [queue({ metricValue: 3 })];
    const address = scaler.address.replace('127.0.0.1', 'localhost');
    const { caCert, clientCert, clientKey } = files.pem;
    const client = { tlsClientCert: clientCert, tlsClientKey: clientKey };
    expect((await opened(address, { auth: { caCert, ...client } }).read()).value).toBe(3);
    const unsafe = { metadata: { unsafeSsl: 'true' }, auth: client };
    expect((await opened(address, unsafe).read()).value).toBe(3);
    const stranger = { auth: { ...client, caCert: others.pem.caCert } };
    expect(await failure(opened(address, stranger).read())).toMatchObject({ code: 'unreachable' });
    expect(await failure(opened(address, { auth: { caCert } }).read())).toMatchObject({ code: 'unreachable' });
    expect(await failure(opened(address).read())).toMatchObject({ code: 'unreachable' });
    expect(await failure(opened(address, { auth: { caCert: 'no' } }).read())).toMatchObject({ code: 'bad-setting' });
    expect(() => opened(address, { auth: { tlsClientKey: clientKey } })).toThrow('tlsClientCert is missing');
  });
});

describe('pushing', () => {
  interface Watched {
    /** Resolves when news came that a reading confirms. */
    until(fits: (reading: SourceReading) => boolean): Promise<void>;
    stop(): void;
  }

  /** Reads after each news, as the engine does. */
  function watched({ source, read }: Opened, intervalMs = 60_000): Watched {
    let waiting: { fits(reading: SourceReading): boolean; resolve(): void }[] = [];
    const stop = source.watch?.(
      () => {
        read().then(
          (reading) => {
            waiting = waiting.filter(({ fits, resolve }) => !fits(reading) || resolve());
          },
          () => {},
        );
      },
      { intervalMs },
    );
    if (!stop) throw new Error('it does not watch');
    ends.push(stop);
    const until = (fits: (reading: SourceReading) => boolean) =>
      new Promise<void>((resolve) => waiting.push({ fits, resolve }));
    return { until, stop };
  }

  it('tells when it becomes active, and when a target changes', async () => {
    const scaler = await started();
    scaler.metrics = [queue({ metricValue: 8 })];
    const trigger = opened(scaler.address, {}, externalPush);
    const watch = watched(trigger);
    await watch.until(({ active }) => !active);
    const active = watch.until((reading) => reading.active);
    scaler.setActive(true);
    await active;
    const changed = watch.until(({ target }) => target === 2);
    scaler.setMetrics([queue({ metricValue: 8 }, { targetSizeFloat: 2 })]);
    await changed;
    watch.stop();
    await expect.poll(() => scaler.openStreams('StreamIsActive') + scaler.openStreams('StreamMetricSpec')).toBe(0);
  });

  it('reads the value at its pace while it is active', async () => {
    const scaler = await started();
    scaler.active = true;
    scaler.metrics = [queue({ metricValue: 1 })];
    const watch = watched(opened(scaler.address, {}, externalPush), 20);
    await watch.until(({ active }) => active);
    const grown = watch.until(({ value }) => value === 5);
    scaler.metrics = [queue({ metricValue: 5 })];
    await grown;
  });

  it('comes back after a restart', async () => {
    const scaler = await started();
    scaler.metrics = [queue({ metricValue: 1 })];
    const watch = watched(opened(scaler.address, {}, externalPush));
    await watch.until(({ active }) => !active);
    scaler.stop();
    scaler.active = true;
    const active = watch.until((reading) => reading.active);
    await scaler.start();
    await active;
  });

  it('reads at its pace where the scaler has no streams, and asks for them no more', async () => {
    const scaler = await started(new TestScaler(['StreamIsActive', 'StreamMetricSpec']));
    scaler.metrics = [queue({ metricValue: 1 })];
    const watch = watched(opened(scaler.address, {}, externalPush), 20);
    await watch.until(({ value }) => value === 1);
    const grown = watch.until(({ value }) => value === 2);
    scaler.metrics = [queue({ metricValue: 2 })];
    await grown;
  });

  it('leaves the polled kind to be polled', async () => {
    const scaler = await started();
    expect(opened(scaler.address).source.watch).toBeUndefined();
  });
});

/** Connections through it can be made to say nothing more, both ways, without being closed; new ones work. */
async function deadlyLine(to: string): Promise<{ address: string; die(): void }> {
  const sockets = new Set<Socket>();
  const [host = '', port = ''] = to.split(':');
  const server = createServer((near) => {
    const far = connect(Number(port), host);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {});
    }
    near.pipe(far);
    far.pipe(near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port: ownPort } = server.address() as AddressInfo;
  const die = () => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { address: `127.0.0.1:${ownPort}`, die };
}
