/** What stands for a command that only an image knows. */
const anyCommand = ['job'];

/**
 * A ScaledJob whose Jobs can be made with nothing else at hand: variables that other objects have are left out, and a
 * container whose image has the command gets one. What scales it, and how its Jobs are repeated, stays.
 */
export function rehearsedTemplate(document: unknown): unknown {
  return within(document, ['spec', 'jobTargetRef', 'template', 'spec'], (podSpec) => {
    const { containers } = podSpec;
    if (!Array.isArray(containers)) return podSpec;
    return { ...podSpec, containers: containers.map((one: unknown) => (isRecord(one) ? container(one) : one)) };
  });
}

function container(whole: Record<string, unknown>): Record<string, unknown> {
  const { envFrom: _, ...written } = whole;
  const { command, args, env } = written;
  const isCommandKnown = listLength(command) + listLength(args) > 0;
  return {
    ...written,
    ...(isCommandKnown ? {} : { command: anyCommand }),
    ...(Array.isArray(env)
      ? { env: env.filter((one: unknown) => !isRecord(one) || one['valueFrom'] === undefined) }
      : {}),
  };
}

function within(
  value: unknown,
  path: readonly string[],
  change: (record: Record<string, unknown>) => Record<string, unknown>,
): unknown {
  if (!isRecord(value)) return value;
  const [first, ...rest] = path;
  if (first === undefined) return change(value);
  return { ...value, [first]: within(value[first], rest, change) };
}

function listLength(value: unknown): number {
  return Array.isArray(value) ? value.length : 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
