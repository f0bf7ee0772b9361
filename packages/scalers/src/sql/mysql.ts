import { cacheKey } from '../auth/cacheKey.ts';
import { defineScaler, type SettingProblem } from '../contract/definition.ts';
import { SourceError } from '../contract/errors.ts';
import { integer, number, type Origin, text } from '../contract/parameter.ts';
import { numberReading } from '../numberReading.ts';
import { ConnectionPool } from './connectionPool.ts';
import { type MysqlAddress, parseMysqlAddress } from './mysqlAddress.ts';
import { MysqlConnection, mysqlPlace } from './mysqlConnection.ts';
import { sqlValue } from './sqlValue.ts';

const metadataOrAuth: readonly Origin[] = ['metadata', 'auth'];
const authOrEnv: readonly Origin[] = ['auth', 'env'];

/** KEDA's trigger on a number that a query in MySQL or MariaDB gives. */
export const mysql = defineScaler({
  type: 'mysql',
  summary: 'Number that a query in MySQL or MariaDB gives.',
  parameters: {
    query: text({ required: true, description: 'One statement; the first column of its first row counts.' }),
    queryValue: number({ required: true, moreThan: 0, description: 'Value that one replica is to have.' }),
    activationQueryValue: number({ default: 0, description: 'Active above this value.' }),
    connectionString: text({
      from: authOrEnv,
      secret: true,
      description: 'Address in the form of Go, `user:password@tcp(host:3306)/database?tls=true`.',
    }),
    host: text({ from: metadataOrAuth, description: 'Host, where there is no connection string.' }),
    port: integer({ from: metadataOrAuth, min: 1, max: 65_535, description: 'Port.' }),
    username: text({ from: ['metadata', 'auth', 'env'], description: 'User.' }),
    password: text({ from: authOrEnv, secret: true, description: 'Password.' }),
    dbName: text({ from: metadataOrAuth, description: 'Database.' }),
  },
  check(settings, written) {
    if (settings.connectionString !== undefined) return connectionProblems(settings.connectionString);
    // Where the string may come from is named, and it is read when the trigger is opened.
    if (written.auth === null || written.metadata.connectionStringFromEnv !== undefined) return [];
    return (['host', 'port'] as const)
      .filter((name) => settings[name] === undefined)
      .map((name) => ({
        parameter: name,
        message: `${name} is missing: give connectionString, or host, port, username, dbName and password`,
      }));
  },
  target: ({ queryValue, activationQueryValue }) => ({ target: queryValue, activationTarget: activationQueryValue }),
  metricName: ({ connectionString, dbName = '' }) => `mysql-${connectionString?.split('/').at(-1) ?? dbName}`,
  open(settings, { connections, timeoutMs }) {
    const { query, activationQueryValue } = settings;
    const address = addressOf(settings);
    const where = mysqlPlace(address);
    const lease = connections.lease(
      `mysql ${cacheKey(JSON.stringify(address), String(timeoutMs))}`,
      () => new ConnectionPool(where, () => new MysqlConnection(address, timeoutMs)),
      (pool) => pool.close(),
    );
    return {
      async read(signal) {
        const value = sqlValue(await lease.connection.firstValue(query, signal), where);
        return numberReading(value, activationQueryValue);
      },
      close: () => lease.release(),
    };
  },
  example: `type: mysql
metadata:
  query: SELECT count(*) FROM jobs WHERE state = 'queued'
  queryValue: "5"
  connectionStringFromEnv: MYSQL_DSN`,
  documentation: {
    reaction:
      'Asked at the polling interval: one short transaction. All triggers of one database and user share at most two ' +
      'connections. An index on what the query counts keeps it cheap.',
    rights: 'SELECT on the tables of the query.',
    notes: [
      'The query runs in a read-only transaction: one that writes is refused by the server.',
      'One statement only; of many rows the first is fetched and the others are not.',
      'NULL and no row are errors: count(*) gives 0, and coalesce(sum(x), 0) where a sum may have nothing to add.',
      'The server ends the query when the time for a read is over.',
      'Of the settings in a connection string, tls, charset, collation, timeout and variables of the server are used.',
      'tls=true checks the certificate with the authorities of the machine that asks.',
    ],
  },
});

function connectionProblems(connection: string): SettingProblem[] {
  try {
    parseMysqlAddress(connection);
    return [];
  } catch (error) {
    if (!(error instanceof SourceError)) throw error;
    return [{ parameter: 'connectionString', message: error.message }];
  }
}

interface AddressSettings {
  connectionString: string | undefined;
  host: string | undefined;
  port: number | undefined;
  username: string | undefined;
  password: string | undefined;
  dbName: string | undefined;
}

function addressOf(settings: AddressSettings): MysqlAddress {
  const { connectionString, host, port, username = '', password = '', dbName } = settings;
  if (connectionString !== undefined) return parseMysqlAddress(connectionString);
  if (host === undefined || port === undefined) {
    throw new SourceError('bad-setting', 'connectionString is missing: the environment variable it names is not set');
  }
  const database = dbName === undefined ? {} : { database: dbName };
  return { host, port, user: username, password, ...database, tls: 'false', session: {} };
}
