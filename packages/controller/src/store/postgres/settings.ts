import { parsePostgresAddress, type PostgresAddress, postgresPlace } from '@ebb/scalers';

export interface PostgresStoreSettings {
  readonly address: PostgresAddress;
  /** Everything of Ebb's is in it, and nothing else may be. */
  readonly schema: string;
}

export const defaultSchema = 'ebb';
const schemaPattern = /^(?!pg_)[A-Za-z_][A-Za-z0-9_-]{0,62}$/;

/**
 * Settings from the environment: `EBB_STORE_URL` (a URL or a line of libpq), `EBB_STORE_PASSWORD` in the place of the URL's, and
 * `EBB_STORE_SCHEMA`. Null: none is wanted. Throws with a sentence for a person that quotes no secret.
 */
export function readStoreSettings(env: Readonly<Record<string, string | undefined>>): PostgresStoreSettings | null {
  const { EBB_STORE_URL: url, EBB_STORE_PASSWORD: password, EBB_STORE_SCHEMA: schema } = env;
  if (!url?.trim()) {
    if (password) throw new Error('EBB_STORE_PASSWORD is set and EBB_STORE_URL is not: write both, or neither');
    return null;
  }
  const name = schema?.trim() || defaultSchema;
  if (!schemaPattern.test(name)) {
    throw new Error(
      `EBB_STORE_SCHEMA: "${name}" is not the name of a schema: letters, digits, _ and -, at most 63, and not beginning with pg_`,
    );
  }
  const address = addressOf(url);
  return { address: password ? { ...address, password } : address, schema: name };
}

function addressOf(url: string): PostgresAddress {
  try {
    return parsePostgresAddress(url);
  } catch (error) {
    throw new Error(`EBB_STORE_URL: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** How the store is called in messages. */
export function storePlace({ address, schema }: PostgresStoreSettings): string {
  return `${postgresPlace(address)} (schema ${schema})`;
}

/** A name as it stands in a statement. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
