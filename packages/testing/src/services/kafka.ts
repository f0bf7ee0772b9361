import { randomBytes } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { programs } from './installed.ts';
import { KafkaTools } from './kafkaTools.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

export interface KafkaOptions {
  /** Opens a listener SASL_PLAINTEXT with PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512 (and SASL_SSL where `tls` is on too). */
  readonly sasl?: boolean;
  /** Opens a listener SSL; `mutual` asks the client for a certificate too. */
  readonly tls?: boolean | 'mutual';
  readonly defaultPartitions?: number;
  /** More properties of the broker. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Kafka's own form of an id; one that begins with a dash would be taken for an option. */
function clusterId(): string {
  return `A${randomBytes(16).toString('base64url').slice(1)}`;
}

/** `host:port` of each listener that is open. */
export interface KafkaListeners {
  readonly plaintext: string;
  readonly sasl?: string;
  readonly tls?: string;
  readonly saslTls?: string;
}

const user = 'ebb';
const password = 'ebb-secret';
const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

// A small heap and the quick compiler: a broker that lives for one test never gets as far as the slow one's profit.
const jvm = ['-Xms128m', '-Xmx384m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-XX:-UsePerfData', '-Xshare:auto'];

/** A running broker (KRaft, one node). Topics and offsets outlive `restart` and `kill`. */
export class KafkaService extends Service {
  readonly listeners: KafkaListeners;
  /** Of the listener without authentication. */
  readonly bootstrapServers: string;
  /** For every SASL mechanism. */
  readonly user = user;
  readonly password = password;
  readonly tls: TlsFiles | undefined;
  /** Kafka's own tools, on the listener without authentication: what a scaler's answer is checked against. */
  readonly tools: KafkaTools;

  constructor(launch: Launch, listeners: KafkaListeners, tls: TlsFiles | undefined) {
    super(launch);
    this.listeners = listeners;
    this.bootstrapServers = listeners.plaintext;
    this.tls = tls;
    this.tools = new KafkaTools(listeners.plaintext, [...jvm, ...classPath()]);
  }

  /** The same tools on another listener, with the properties of Kafka's Java client that it asks for. */
  toolsOn(listener: keyof KafkaListeners, properties: Readonly<Record<string, string>>): KafkaTools {
    const address = this.listeners[listener];
    if (address === undefined) throw new Error(`kafka was started without the listener "${listener}"`);
    const path = join(mkdtempSync(join(this.folder, 'client-')), 'client.properties');
    writeFileSync(path, propertyLines(properties), { mode: 0o600 });
    return new KafkaTools(address, [...jvm, ...classPath()], path);
  }

  protected override async isReady(): Promise<boolean> {
    const { kcat } = programs('kafka');
    return (await runCommand(kcat, ['-b', this.bootstrapServers, '-L', '-m', '2'])).includes('broker 1 at');
  }
}

/** Starts a broker on free ports. */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaService> {
  const { java } = programs('kafka');
  const folder = newServiceFolder('kafka');
  const files = options.tls ? await tlsFiles() : undefined;
  const port = await freePort();
  const listeners: KafkaListeners = {
    plaintext: `${loopback}:${port}`,
    ...(options.sasl ? { sasl: `${loopback}:${await freePort()}` } : {}),
    ...(files ? { tls: `${loopback}:${await freePort()}` } : {}),
    ...(options.sasl && files ? { saslTls: `${loopback}:${await freePort()}` } : {}),
  };
  const path = join(folder, 'server.properties');
  const properties = {
    ...brokerProperties(folder, listeners, await freePort(), options.defaultPartitions ?? 1),
    ...(options.sasl ? saslProperties() : {}),
    ...(files ? tlsProperties(files, options.tls === 'mutual') : {}),
    ...options.config,
  };
  writeFileSync(path, propertyLines(properties), { mode: 0o600 });

  const scramUsers = mechanisms.slice(1).map((name) => `${name}=[name=${user},password=${password}]`);
  const format = ['format', '-t', clusterId(), '-c', path];
  const users = options.sasl ? scramUsers.flatMap((scram) => ['--add-scram', scram]) : [];
  await runCommand(java, [...jvm, ...classPath(), 'kafka.tools.StorageTool', ...format, ...users]);

  const launch: Launch = {
    name: 'kafka',
    folder,
    port,
    program: java,
    args: [...jvm, ...classPath(), 'kafka.Kafka', path],
    readyWithinMs: 120_000,
    // Its orderly end takes seconds, for the sake of data that is thrown away.
    discardSignal: 'SIGKILL',
  };
  return new KafkaService(launch, listeners, files).start();
}

function propertyLines(properties: Readonly<Record<string, string | number>>): string {
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function classPath(): string[] {
  return ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', join(programs('kafka').jars, '*')];
}

function brokerProperties(folder: string, listeners: KafkaListeners, controllerPort: number, partitions: number) {
  const open = Object.entries({
    PLAINTEXT: listeners.plaintext,
    SASL_PLAINTEXT: listeners.sasl,
    SSL: listeners.tls,
    SASL_SSL: listeners.saslTls,
  }).flatMap(([protocol, address]) => (address ? [`${protocol}://${address}`] : []));
  const controller = `${loopback}:${controllerPort}`;
  return {
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: [...open, `CONTROLLER://${controller}`].join(','),
    'advertised.listeners': open.join(','),
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map':
      'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL',
    'log.dirs': join(folder, 'data'),
    'num.partitions': partitions,
    'offsets.topic.replication.factor': 1,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.num.partitions': 4,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 4,
    'group.initial.rebalance.delay.ms': 0,
    'log.cleaner.dedupe.buffer.size': 8 * 1024 * 1024,
  };
}

function saslProperties() {
  const plain = `org.apache.kafka.common.security.plain.PlainLoginModule required user_${user}="${password}";`;
  const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
  const perListener = ['sasl_plaintext', 'sasl_ssl'].flatMap((listener) => [
    [`listener.name.${listener}.plain.sasl.jaas.config`, plain],
    [`listener.name.${listener}.scram-sha-256.sasl.jaas.config`, scram],
    [`listener.name.${listener}.scram-sha-512.sasl.jaas.config`, scram],
  ]);
  return { 'sasl.enabled.mechanisms': mechanisms.join(','), ...Object.fromEntries(perListener) };
}

function tlsProperties(files: TlsFiles, mutual: boolean) {
  return {
    'ssl.keystore.type': 'PEM',
    'ssl.keystore.location': files.serverKeyAndCert,
    'ssl.truststore.type': 'PEM',
    'ssl.truststore.location': files.caCert,
    'ssl.client.auth': mutual ? 'required' : 'none',
  };
}
