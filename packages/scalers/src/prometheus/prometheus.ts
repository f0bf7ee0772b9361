import { defineScaler } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { boolean, number, text } from '../contract/parameter.ts';
import { authParameters, checkAuthModes, modesOf } from '../http/authModes.ts';
import { openAuthorisedHttp } from '../http/authorisedHttp.ts';
import { headerPairs, httpUrl, pairs, timeout } from '../http/httpParameters.ts';
import { numberReading } from '../numberReading.ts';
import { checkStatus, place } from '../runtime/http.ts';
import { withinTime } from '../runtime/withinTime.ts';
import { identityParameters, identityProblems, identityProof } from './identity.ts';
import { instantValue } from './instantValue.ts';

/** KEDA's trigger on the value of a PromQL query. */
export const prometheus = defineScaler({
  type: 'prometheus',
  summary: 'Value of a PromQL query.',
  parameters: {
    serverAddress: httpUrl('Address of Prometheus, or of what speaks its API (Thanos, Mimir, VictoriaMetrics).'),
    query: text({ required: true, description: 'PromQL whose answer is one series.' }),
    threshold: number({ required: true, moreThan: 0, description: 'Value that one replica is to have.' }),
    activationThreshold: number({ default: 0, description: 'Active above this value.' }),
    namespace: text({ description: 'Sent as the query parameter `namespace`, for multi-tenant Thanos.' }),
    customHeaders: headerPairs({ description: 'Headers to send, such as `X-Scope-OrgID=team-a`.' }),
    queryParameters: pairs({ description: 'Query parameters to send.' }),
    ignoreNullValues: boolean({
      default: true,
      description: 'No series, NaN and infinities are 0 instead of an error.',
    }),
    unsafeSsl: boolean({ default: false, description: "The server's certificate is not checked." }),
    timeout: timeout({ description: 'Longest time for one query.' }),
    ...identityParameters,
    ...authParameters,
  },
  identities: ['aws', 'azure-workload', 'gcp'],
  check: (settings, written) => [
    ...checkAuthModes(settings, written),
    ...identityProblems(settings, modesOf(settings), written),
  ],
  target: ({ threshold, activationThreshold }) => ({ target: threshold, activationTarget: activationThreshold }),
  metricName: () => 'prometheus',
  open(settings, context, { identity = null }) {
    const { serverAddress, ignoreNullValues, activationThreshold, customHeaders, unsafeSsl } = settings;
    const timeoutMs = settings.timeout ?? context.timeoutMs;
    const proof = modesOf(settings).length > 0 ? null : identityProof(settings, identity, context.cloud);
    const http = openAuthorisedHttp({ ...context, timeoutMs }, settings, unsafeSsl, proof);
    const url = queryUrl(settings);
    return {
      read: (signal) =>
        withinTime(timeoutMs, place(serverAddress), async (ownSignal) => {
          const answer = await http.get(url, AbortSignal.any([signal, ownSignal]), customHeaders);
          if (answer.status < 200 || answer.status > 299) refuse(answer, url);
          const found = instantValue(answer.text, place(serverAddress));
          if (found.missing === undefined) return numberReading(found.value, activationThreshold);
          if (!ignoreNullValues) throw new SourceError('bad-answer', `${place(serverAddress)}: ${found.missing}`);
          return numberReading(0, activationThreshold, `${found.missing}: read as 0`);
        }),
      close: () => http.close(),
    };
  },
  example: `type: prometheus
metadata:
  serverAddress: http://prometheus.monitoring:9090
  query: sum(rate(http_requests_total{deployment="web"}[2m]))
  threshold: "100"
  ignoreNullValues: "false"`,
  documentation: {
    reaction: 'Asked at the polling interval, one instant query each time; a new value is there after the next scrape.',
    rights: 'Reading `/api/v1/query`.',
    notes: [
      'With `ignoreNullValues` at its default `true`, an answer without series is 0: when the scraping of the workload ' +
        'breaks, its series end and the trigger lets it go to zero although there may be work. Set it to `false` and the ' +
        'same outage is an error, for which the fallback is made.',
      'The query must give one series; more are an error. Sum them up in the query.',
      'A scalar is taken like a series of one, which KEDA refuses.',
      'NaN and infinities are 0 with `ignoreNullValues`, and an error without.',
      'Modes apiKey and oauth are sent too; KEDA takes them and sends nothing.',
      'The query is evaluated at the clock of Prometheus, not at ours.',
      'Prometheus as the clouds run it is asked with the pod identity of the authentication: `azure-workload` (Azure Monitor, a token ' +
        'for `https://prometheus.monitor.azure.com/.default`), `gcp` (Google, a token for `monitoring.read`), `aws` (Amazon, signed ' +
        'for the service `aps`). `authModes` is left out then, and the certificate is checked whatever `unsafeSsl` says.',
    ],
  },
});

function queryUrl(settings: {
  serverAddress: string;
  query: string;
  namespace: string | undefined;
  queryParameters: Readonly<Record<string, string>>;
}): string {
  const url = new URL(settings.serverAddress);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
  url.searchParams.append('query', settings.query);
  if (settings.namespace !== undefined) url.searchParams.append('namespace', settings.namespace);
  for (const [name, value] of Object.entries(settings.queryParameters)) url.searchParams.append(name, value);
  // A blank as + is not signed as it is read by AWS.
  url.search = url.search.replaceAll('+', '%20');
  return url.href;
}

/** Prometheus says in JSON what it does not like about a query. */
function refuse(
  answer: { status: number; text: string; headers: Record<string, string | string[] | undefined> },
  url: string,
): never {
  const said = saidError(answer.text);
  if (said !== null && answer.status !== 401 && answer.status !== 403) {
    const code = said.type === 'bad_data' ? 'bad-setting' : said.type === 'timeout' ? 'timeout' : 'bad-answer';
    throw new SourceError(code, `${place(url)} refused the query (${answer.status}): ${said.message.slice(0, 300)}`);
  }
  checkStatus(answer, url);
  throw new SourceError('bad-answer', `${place(url)} answered ${answer.status}`);
}

function saidError(text: string): { type: string; message: string } | null {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body !== 'object' || body === null || !('error' in body) || typeof body.error !== 'string') return null;
    return {
      type: 'errorType' in body && typeof body.errorType === 'string' ? body.errorType : '',
      message: body.error,
    };
  } catch {
    return null;
  }
}
