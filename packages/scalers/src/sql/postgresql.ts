import { cacheKey } from '../auth/cacheKey.ts';
import { azureWorkloadToken } from '../auth/cloud/azure.ts';
import { defineScaler, type SettingProblem } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { choice, integer, number, type Origin, text } from '../contract/parameter.ts';
import { numberReading } from '../numberReading.ts';
import { ConnectionPool } from './connectionPool.ts';
import { type PostgresAddress, parsePostgresAddress, type SslMode, sslModes } from './postgresAddress.ts';
import { postgresPlace } from './openPostgres.ts';
import { PostgresConnection } from './postgresConnection.ts';
import { sqlValue } from './sqlValue.ts';

const authOrMetadata: readonly Origin[] = ['auth', 'metadata'];
const authOrEnv: readonly Origin[] = ['auth', 'env'];
const single = ['host', 'port', 'userName', 'dbName', 'sslmode'] as const;

/** Whom the tokens for Azure Database for PostgreSQL are for. */
const azureScope = 'https://ossrdbms-aad.database.windows.net/.default';

/** KEDA's trigger on a number that a query in PostgreSQL gives. */
export const postgresql = defineScaler({
  type: 'postgresql',
  summary: 'Number that a query in PostgreSQL gives.',
  parameters: {
    query: text({ required: true, description: 'One statement; the first column of its first row counts.' }),
    targetQueryValue: number({ required: true, moreThan: 0, description: 'Value that one replica is to have.' }),
    activationTargetQueryValue: number({ default: 0, description: 'Active above this value.' }),
    connection: text({ from: authOrEnv, secret: true, description: 'Connection string, as keywords or as a URL.' }),
    host: text({ from: authOrMetadata, description: 'Host, where there is no connection string.' }),
    port: integer({ from: authOrMetadata, min: 1, max: 65_535, description: 'Port.' }),
    userName: text({ from: authOrMetadata, description: 'User.' }),
    dbName: text({ from: authOrMetadata, description: 'Database.' }),
    sslmode: choice(sslModes, { from: authOrMetadata, description: 'Whether TLS is spoken and what is checked.' }),
    password: text({ from: authOrEnv, secret: true, description: 'Password.' }),
  },
  identities: ['azure-workload'],
  check(settings, written) {
    if (settings.connection !== undefined) return connectionProblems(settings.connection);
    // Where the string may come from is named, and it is read when the trigger is opened.
    if (written.auth === null || written.metadata.connectionFromEnv !== undefined) return [];
    return single
      .filter((name) => settings[name] === undefined)
      .map((name) => ({
        parameter: name,
        message: `${name} is missing: give connection, or all of ${single.join(', ')}`,
      }));
  },
  formulaTarget: 'targetQueryValue',
  target: ({ targetQueryValue, activationTargetQueryValue }) => ({
    target: targetQueryValue,
    activationTarget: activationTargetQueryValue,
  }),
  metricName: () => 'postgresql',
  open(settings, { connections, cloud, timeoutMs }, { identity }) {
    const { query, activationTargetQueryValue } = settings;
    const address = addressOf(settings);
    const where = postgresPlace(address);
    const token = identity?.provider === 'azure-workload' ? azureWorkloadToken(cloud, identity, azureScope) : null;
    const lease = connections.lease(
      `postgresql ${cacheKey(JSON.stringify(address), String(timeoutMs), token?.key)}`,
      () => new ConnectionPool(where, () => new PostgresConnection(address, timeoutMs, token)),
      (pool) => pool.close(),
    );
    return {
      async read(signal) {
        const value = sqlValue(await lease.connection.firstValue(query, signal), where);
        return numberReading(value, activationTargetQueryValue);
      },
      close: () => lease.release(),
    };
  },
  example: `type: postgresql
metadata:
  query: SELECT count(*) FROM jobs WHERE state = 'queued'
  targetQueryValue: "5"
  connectionFromEnv: DATABASE_URL`,
  documentation: {
    reaction:
      'Asked at the polling interval: one short transaction. All triggers of one database and user share at most two ' +
      'connections. An index on what the query counts keeps it cheap.',
    rights: 'CONNECT on the database and SELECT on the tables of the query.',
    notes: [
      'The query runs in a read-only transaction: one that writes is refused by the server.',
      'One statement only; of many rows the first is fetched and the others are not.',
      'NULL and no row are errors: count(*) gives 0, and coalesce(sum(x), 0) where a sum may have nothing to add.',
      'The server ends the query when the time for a read is over (statement_timeout).',
      'sslmode require does not check the certificate unless sslrootcert is named; allow is taken as prefer.',
      'With the pod identity `azure-workload` the password is a token for Azure Database for PostgreSQL; ' +
        '`userName` is the name of the identity in the database.',
      'sslrootcert, sslcert and sslkey name files on the machine that asks.',
    ],
  },
});

function connectionProblems(connection: string): SettingProblem[] {
  try {
    parsePostgresAddress(connection);
    return [];
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return [{ parameter: 'connection', message: error.message }];
  }
}

interface AddressSettings {
  connection: string | undefined;
  host: string | undefined;
  port: number | undefined;
  userName: string | undefined;
  dbName: string | undefined;
  sslmode: SslMode | undefined;
  password: string | undefined;
}

function addressOf(settings: AddressSettings): PostgresAddress {
  const { connection, host, port, userName, dbName, sslmode, password = '' } = settings;
  if (connection !== undefined) return parsePostgresAddress(connection);
  const isWhole = host && port !== undefined && userName && dbName && sslmode;
  if (!isWhole) {
    throw new SourceError('bad-setting', 'connection is missing: the environment variable it names is not set');
  }
  return {
    hosts: [{ host, port }],
    user: userName,
    password,
    database: dbName,
    sslMode: sslmode,
    files: {},
    session: {},
  };
}
