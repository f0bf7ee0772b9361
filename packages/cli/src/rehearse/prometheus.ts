import { fromPrometheus, type PrometheusOptions, TraceError, type TraceToCompare } from '@ebb/simulator';
import type { PrometheusFlags } from '../commands/prometheusFlags.ts';
import type { EbbContext } from '../context.ts';
import { Failure } from '../failure.ts';
import { milliseconds } from './traces.ts';

/** Of the environment, so that it is on no command line. */
export const tokenVariable = 'EBB_PROMETHEUS_TOKEN';
const defaultSince = '7d';
const defaultStep = '60s';

interface LoadFlags extends PrometheusFlags {
  trace?: readonly string[];
  first?: string;
  every?: number;
}

/**
 * The load that a Prometheus knows, as `--prometheus URL --query Q --since TIME --step TIME` say; null: the flags name none.
 * The moments within a step are drawn with the seed.
 *
 * @throws Failure for flags that do not go together and for what the server answers; no message has the login.
 */
export async function prometheusTrace(
  context: EbbContext,
  flags: LoadFlags,
  rename: Readonly<Record<string, string>>,
  { seed, signal }: { seed: number; signal?: AbortSignal },
): Promise<TraceToCompare | null> {
  const { prometheus, query, since = defaultSince, step = defaultStep } = flags;
  if (prometheus === undefined) {
    refuseAlone(flags);
    return null;
  }
  if (flags.trace?.length) throw new Failure('usage', '--trace and --prometheus exclude one another.');
  if (query === undefined || query.trim() === '') {
    throw new Failure('usage', '--prometheus needs a --query that gives requests a second.', [
      "--query 'sum(rate(http_requests_total[1m]))'",
    ]);
  }
  const url = rootOf(prometheus);
  const sinceSeconds = milliseconds(since, '--since') / 1000;
  const stepSeconds = milliseconds(step, '--step') / 1000;
  if (!(stepSeconds > 0 && stepSeconds <= sinceSeconds)) {
    throw new Failure('usage', `--step ${step} must be more than 0s and no longer than --since ${since}.`);
  }
  // Whole steps since 1970, so that the same question within a step gets the same answer.
  const toSeconds = Math.floor(Date.now() / 1000 / Math.max(1, stepSeconds)) * Math.max(1, stepSeconds);
  const where = `${url.origin}${url.pathname === '/' ? '' : url.pathname}`;
  const about = `asking ${where} for ${since} in steps of ${step}`;
  const options: PrometheusOptions = {
    rename,
    seed,
    onPart: (part, parts) => context.note(parts === 1 ? `${about} …` : `${about}: part ${part} of ${parts} …`),
  };
  const token = context.env[tokenVariable];
  if (token !== undefined && token !== '') options.headers = { authorization: `Bearer ${token}` };
  if (flags.first !== undefined) options.firstSeconds = milliseconds(flags.first, '--first') / 1000;
  if (flags.every !== undefined) options.every = flags.every;
  if (signal) options.signal = signal;
  try {
    return {
      trace: await fromPrometheus(
        url.href,
        query,
        { fromSeconds: toSeconds - sinceSeconds, toSeconds },
        stepSeconds,
        options,
      ),
    };
  } catch (error) {
    if (signal?.aborted) throw new Failure('interrupted', 'interrupted; nothing was written.');
    if (!(error instanceof TraceError)) throw error;
    const hints = /answered 40[13]/.test(error.message)
      ? [`--prometheus https://USER:PASSWORD@HOST, or a bearer token in ${tokenVariable}`]
      : [];
    throw new Failure('usage', `--prometheus: ${error.message.replace(/\.$/, '')}.`, hints, { cause: error });
  }
}

/** Without `--prometheus` the others say nothing. */
function refuseAlone(flags: LoadFlags): void {
  for (const name of ['query', 'since', 'step'] as const) {
    if (flags[name] !== undefined) throw new Failure('usage', `--${name} goes with --prometheus URL.`);
  }
}

function rootOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  // What is no URL may still have a password in it.
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new Failure('usage', `--prometheus: "${withoutLogin(text)}" is no URL; write http://127.0.0.1:9090.`);
  }
  if (url.search !== '' || url.hash !== '') {
    throw new Failure('usage', `--prometheus is the root of a Prometheus, without ? and #; the query is --query's.`);
  }
  return url;
}

/** The same without user and password, for what is printed or kept. */
export function withoutLogin(url: string): string {
  return url.replace(/^(\w+:\/\/)?[^/?#]*@/, '$1');
}
