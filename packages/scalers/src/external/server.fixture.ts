import { fileURLToPath } from 'node:url';
import {
  type GrpcObject,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServerWritableStream,
  type ServiceClientConstructor,
  type ServiceError,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

/** The interface as it is published, so that the client's own copy of it is put to the test. */
const file = fileURLToPath(new URL('./externalScaler.proto', import.meta.url));
const published = loadPackageDefinition(loadSync(file, { keepCase: true, longs: Number, defaults: true }));
const { ExternalScaler } = published.externalscaler as GrpcObject;
const { service } = ExternalScaler as ServiceClientConstructor;

interface Metric {
  metricName: string;
  target: { targetSize?: number; targetSizeFloat?: number };
  values: { metricValue?: number; metricValueFloat?: number }[];
}
export interface Reference {
  name: string;
  namespace: string;
  scalerMetadata: Record<string, string>;
}
type Stream = ServerWritableStream<Reference, object>;

/** A scaler that a user might have written for KEDA: a real gRPC server. */
export class TestScaler {
  active = false;
  /** Whether it is active for one trigger. */
  isActive: (reference: Reference) => boolean = () => this.active;
  metrics: Metric[] = [];
  /** Status that every call fails with. */
  failure: { code: number; details: string } | null = null;
  readonly references: Reference[] = [];
  readonly calls: string[] = [];
  readonly #left: readonly string[];
  readonly #streams = { StreamIsActive: new Set<Stream>(), StreamMetricSpec: new Set<Stream>() };
  #server: Server | null = null;
  #port = 0;

  /** `left` names the methods that it does not implement. */
  constructor(left: readonly string[] = []) {
    this.#left = left;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  openStreams(method: 'StreamIsActive' | 'StreamMetricSpec'): number {
    return this.#streams[method].size;
  }

  async start(credentials = ServerCredentials.createInsecure()): Promise<void> {
    const server = new Server();
    server.addService(service, this.#implementation());
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(`127.0.0.1:${this.#port}`, credentials, (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
    this.#server = server;
  }

  stop(): void {
    this.#server?.forceShutdown();
    this.#server = null;
    for (const streams of Object.values(this.#streams)) streams.clear();
  }

  setActive(active: boolean): void {
    this.active = active;
    for (const stream of this.#streams.StreamIsActive) stream.write({ result: active });
  }

  setMetrics(metrics: Metric[]): void {
    this.metrics = metrics;
    for (const stream of this.#streams.StreamMetricSpec) stream.write(this.#specs());
  }

  #specs(): object {
    return { metricSpecs: this.metrics.map(({ metricName, target }) => ({ metricName, ...target })) };
  }

  #implementation(): UntypedServiceImplementation {
    const unary =
      (method: string, answer: (request: never) => object) =>
      ({ request }: { request: never }, done: sendUnaryData<object>) => {
        this.calls.push(method);
        done(this.failure as ServiceError | null, this.failure ? null : answer(request));
      };
    const stream = (method: 'StreamIsActive' | 'StreamMetricSpec', first: () => object) => (call: Stream) => {
      this.calls.push(method);
      this.#streams[method].add(call);
      call.on('cancelled', () => this.#streams[method].delete(call));
      call.write(first());
    };
    const all = {
      IsActive: unary('IsActive', (request: Reference) => {
        this.references.push(request);
        return { result: this.isActive(request) };
      }),
      GetMetricSpec: unary('GetMetricSpec', () => this.#specs()),
      GetMetrics: unary('GetMetrics', ({ metricName }: { metricName: string }) => ({
        metricValues: this.metrics
          .filter((metric) => metric.metricName === metricName)
          .flatMap(({ values }) => values.map((value) => ({ metricName, ...value }))),
      })),
      StreamIsActive: stream('StreamIsActive', () => ({ result: this.active })),
      StreamMetricSpec: stream('StreamMetricSpec', () => this.#specs()),
    } as unknown as UntypedServiceImplementation;
    return Object.fromEntries(Object.entries(all).filter(([method]) => !this.#left.includes(method)));
  }
}

export { status };
