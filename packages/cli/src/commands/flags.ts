/** Flags that most commands share, so that they read the same everywhere. */
export const jsonFlag = {
  kind: 'boolean',
  optional: true,
  withNegated: false,
  brief: 'Print JSON on stdout (a value a line where it goes on); all else goes to stderr',
} as const;

export const dataFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'DIR',
  brief: 'Data folder (default: $EBB_DATA, else the nearest .ebb folder upwards, else ./.ebb)',
} as const;

export const namespaceFlag = {
  kind: 'parsed',
  parse: String,
  optional: true,
  placeholder: 'NAME',
  brief: 'Namespace (default: "default")',
} as const;

export function textFlag(placeholder: string, brief: string) {
  return { kind: 'parsed', parse: String, optional: true, placeholder, brief } as const;
}

export function portFlag(brief: string) {
  return { kind: 'parsed', parse: parsePort, optional: true, placeholder: 'PORT', brief } as const;
}

/** A TCP port; 0 lets the system choose. */
export function parsePort(input: string): number {
  const port = Number(input);
  if (!/^\d+$/.test(input) || port > 65_535)
    throw new Error(`a port is a whole number from 0 to 65535, not "${input}"`);
  return port;
}

export function parseCount(input: string): number {
  const count = Number(input);
  if (!/^\d+$/.test(input) || !Number.isSafeInteger(count)) throw new Error(`expected a whole number, not "${input}"`);
  return count;
}

export type CommonFlags = { json?: boolean; data?: string };
export type NamespacedFlags = CommonFlags & { namespace?: string };
