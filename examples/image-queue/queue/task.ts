/** One message of the queue `tasks`, as JSON. */
export interface Task {
  id: string;
  /** What the picture is called on the page. */
  name: string;
  /** Key of the picture in the storage; null: there is only the prompt. */
  input: string | null;
  /** Key that the result is stored under. */
  output: string;
  /** For models that make pictures from text; the one that ships enlarges pictures and passes over it. */
  prompt: string;
  /** Wall milliseconds. */
  submittedAt: number;
}

/** The message is no task. Trying it again would end the same. */
export class BadTask extends Error {}

const longestText = 2000;
/** Keys become paths and URLs: plain words, separated by slashes. */
const keyForm = /^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;

/** Reads a message. Throws `BadTask` naming what is wrong with it. */
export function parseTask(bytes: Uint8Array): Task {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw new BadTask('the message is not JSON');
  }
  if (typeof value !== 'object' || value === null) throw new BadTask('the message is no JSON object');
  const fields: Partial<Record<string, unknown>> = { ...value };
  const { input = null, prompt = '', submittedAt = 0 } = fields;
  if (input === null && prompt === '') throw new BadTask('the message has neither an input nor a prompt');
  if (typeof submittedAt !== 'number' || !Number.isFinite(submittedAt))
    throw new BadTask('submittedAt must be a number');
  const id = text('id', fields.id);
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) throw new BadTask('id must be letters, digits, - and _, at most 64');
  return {
    id,
    name: text('name', fields.name ?? id),
    input: input === null ? null : key('input', input),
    output: key('output', fields.output),
    prompt: text('prompt', prompt),
    submittedAt,
  };
}

export function encodeTask(task: Task): Buffer {
  return Buffer.from(JSON.stringify(task));
}

function text(field: string, value: unknown): string {
  if (typeof value !== 'string')
    throw new BadTask(`${field} must be text, found ${JSON.stringify(value) ?? 'nothing'}`);
  if (value.length > longestText) throw new BadTask(`${field} is longer than ${longestText} characters`);
  return value;
}

function key(field: string, value: unknown): string {
  const found = text(field, value);
  if (!keyForm.test(found)) throw new BadTask(`${field} must be a key such as "abc/result.png", found "${found}"`);
  return found;
}
