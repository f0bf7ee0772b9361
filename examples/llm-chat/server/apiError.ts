/** A refusal in the shape of OpenAI's errors, so that their client libraries raise the exception a program expects. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  readonly headers: Record<string, string>;

  constructor(status: number, message: string, { code = null, param = null, headers = {} }: ErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.param = param;
    this.headers = headers;
  }

  body() {
    return { error: { message: this.message, type: typeOf(this.status), param: this.param, code: this.code } };
  }
}

interface ErrorDetails {
  code?: string | null;
  /** The field of the request that is at fault. */
  param?: string | null;
  headers?: Record<string, string>;
}

function typeOf(status: number): string {
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
