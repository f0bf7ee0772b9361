import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from './command.ts';
import { programs } from './installed.ts';
import { getPage, type WebAnswer } from './page.ts';
import { freePort, loopback } from './ports.ts';
import { type Launch, Service } from './service.ts';
import { type TlsFiles, tlsFiles } from './tlsFiles.ts';
import { newServiceFolder } from './watchdog.ts';

const scrapeInterval = '250ms';

export interface PrometheusOptions {
  /** `host:port` of what is scraped as job `test`, four times a second. */
  readonly targets?: readonly string[];
  /** Further entries of `scrape_configs`, in Prometheus' own words. */
  readonly scrapeConfigs?: readonly Readonly<Record<string, unknown>>[];
  /** Basic authentication for every request. */
  readonly webAuth?: { readonly user: string; readonly password: string };
  /** It speaks https; `mutual` asks the client for a certificate too. */
  readonly tls?: boolean | 'mutual';
}

/** One element of an instant vector. */
export interface PrometheusSample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A running Prometheus. Samples outlive `restart`. */
export class PrometheusService extends Service {
  readonly url: string;
  readonly tls: TlsFiles | undefined;
  readonly #webAuth: PrometheusOptions['webAuth'];

  constructor(launch: Launch, webAuth: PrometheusOptions['webAuth'], tls: TlsFiles | undefined) {
    super(launch);
    this.url = `${tls ? 'https' : 'http'}://${this.address}`;
    this.tls = tls;
    this.#webAuth = webAuth;
  }

  protected override async isReady(): Promise<boolean> {
    return (await this.#get('/-/ready')).status === 200;
  }

  /** What the query gives at this moment, as its own API answers it. */
  async query(query: string): Promise<PrometheusSample[]> {
    const { status, text } = await this.#get(`/api/v1/query?query=${encodeURIComponent(query)}`);
    if (status !== 200) throw new Error(`Prometheus answered ${status}: ${text.slice(0, 500)}`);
    const { data } = JSON.parse(text) as {
      data: { result: { metric: Record<string, string>; value: [number, string] }[] };
    };
    return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
  }

  #get(path: string): Promise<WebAnswer> {
    return getPage(`${this.url}${path}`, {
      ...(this.tls ? { tls: this.tls } : {}),
      ...(this.#webAuth ? { auth: this.#webAuth } : {}),
    });
  }
}

/** Starts Prometheus on a free port. It scrapes itself only when it is told to. */
export async function startPrometheus(options: PrometheusOptions = {}): Promise<PrometheusService> {
  const { targets = [], scrapeConfigs = [], webAuth, tls } = options;
  const { prometheus } = programs('prometheus');
  const folder = newServiceFolder('prometheus');
  const port = await freePort();
  const files = tls ? await tlsFiles() : undefined;
  // Both files are YAML, of which JSON is a part.
  const write = (name: string, content: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(content, null, 2), { mode: 0o600 });
    return join(folder, name);
  };
  const config = write('prometheus.json', {
    global: { scrape_interval: scrapeInterval, scrape_timeout: scrapeInterval, evaluation_interval: scrapeInterval },
    scrape_configs: [{ job_name: 'test', static_configs: [{ targets }] }, ...scrapeConfigs],
  });
  const web = write('web.json', {
    ...(webAuth ? { basic_auth_users: { [webAuth.user]: await bcrypt(webAuth.password) } } : {}),
    ...(files
      ? {
          tls_server_config: {
            cert_file: files.serverCert,
            key_file: files.serverKey,
            ...(tls === 'mutual'
              ? { client_auth_type: 'RequireAndVerifyClientCert', client_ca_file: files.caCert }
              : {}),
          },
        }
      : {}),
  });
  const launch: Launch = {
    name: 'prometheus',
    folder,
    port,
    program: prometheus,
    args: [
      `--config.file=${config}`,
      `--web.config.file=${web}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${loopback}:${port}`,
    ],
    discardSignal: 'SIGKILL',
  };
  return new PrometheusService(launch, webAuth, files).start();
}

/** Prometheus takes passwords only in this form, and Node cannot make it; the system's own library can. */
async function bcrypt(password: string): Promise<string> {
  const salt = `$2b$04$${randomBytes(11).toString('hex')}`;
  const script = 'print crypt($ENV{PASSWORD}, $ENV{SALT})';
  const hash = await runCommand('perl', ['-e', script], { env: { PASSWORD: password, SALT: salt } });
  if (!hash.startsWith('$2b$')) throw new Error('crypt(3) of this system does not know bcrypt');
  return hash;
}
