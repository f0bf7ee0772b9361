import type { Problem } from '@ebb/documents';
import type { ProblemBody } from './types.ts';

/** The control plane answered with a problem. `code` is one of its table of error codes. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly body: ProblemBody;

  constructor(body: ProblemBody) {
    super(body.detail);
    this.name = 'ApiError';
    this.status = body.status;
    this.code = body.code;
    this.body = body;
  }

  /** What is wrong in refused documents, with file, line and column; empty for other errors. */
  get problems(): Problem[] {
    return this.body.problems ?? [];
  }
}

/** Nothing answers at the address: the control plane is away, or was never there. */
export class UnreachableError extends Error {
  readonly url: string;

  constructor(url: string, cause: unknown) {
    super(`nothing answers at ${url}`, { cause });
    this.name = 'UnreachableError';
    this.url = url;
  }
}

/** No control plane runs on the data directory. */
export class NotRunningError extends Error {
  readonly dataDirectory: string;
  /** `stopped`: cleanly, or never started. `crashed`: its replicas may still run, and the next start adopts them. */
  readonly reason: 'stopped' | 'crashed';

  constructor(dataDirectory: string, reason: NotRunningError['reason']) {
    const why = reason === 'stopped' ? 'it was not started' : 'its control plane ended without a clean stop';
    super(`Ebb does not run on ${dataDirectory}: ${why}`);
    this.name = 'NotRunningError';
    this.dataDirectory = dataDirectory;
    this.reason = reason;
  }
}

/** The problem in an answer that is not 2xx; what is not a problem body is wrapped into one. */
export async function problemOf(response: Response): Promise<ProblemBody> {
  const text = await response.text().catch(() => '');
  const parsed = parseProblem(text);
  if (parsed) return parsed;
  return {
    type: 'about:blank',
    title: response.statusText,
    status: response.status,
    detail: text.trim().slice(0, 500) || `${response.status} ${response.statusText}`,
    code: 'unknown',
  };
}

function parseProblem(text: string): ProblemBody | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    if (!('code' in value) || !('detail' in value) || !('status' in value)) return null;
    if (typeof value.code !== 'string' || typeof value.detail !== 'string' || typeof value.status !== 'number')
      return null;
    return value as ProblemBody;
  } catch {
    return null;
  }
}
