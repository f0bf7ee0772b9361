/** One step of the database's shape. A published one is never changed: a new shape is a new step. */
export interface Migration {
  /** From 1, without gaps; `PRAGMA user_version` of the database afterwards. */
  version: number;
  name: string;
  sql: string;
}

export const migrations: readonly Migration[] = [
  {
    version: 1,
    name: 'documents, journal, ledger and state',
    sql: `
      CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO counters (name, value) VALUES ('epoch', 0), ('resourceVersion', 0);

      CREATE TABLE documents (
        kind TEXT NOT NULL,
        cluster TEXT NOT NULL,
        namespace TEXT NOT NULL,
        name TEXT NOT NULL,
        apiVersion TEXT NOT NULL,
        document TEXT NOT NULL,
        origin TEXT,
        resourceVersion INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        createdAtMs INTEGER NOT NULL,
        PRIMARY KEY (kind, cluster, namespace, name)
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE journal (
        sequence INTEGER PRIMARY KEY,
        segment INTEGER NOT NULL,
        atMs INTEGER NOT NULL,
        kind TEXT NOT NULL,
        workload TEXT,
        body TEXT NOT NULL
      ) STRICT;
      -- Wide enough that "the decision in force at that moment" is found without reading bodies.
      CREATE INDEX journalByWorkload ON journal (workload, sequence, atMs, kind);
      CREATE INDEX journalByTime ON journal (atMs);

      CREATE TABLE segments (
        segment INTEGER PRIMARY KEY,
        firstSequence INTEGER NOT NULL,
        lastSequence INTEGER NOT NULL,
        toMs INTEGER NOT NULL,
        bytes INTEGER NOT NULL
      ) STRICT;

      CREATE TABLE ledger (
        replica TEXT NOT NULL,
        fromMs INTEGER NOT NULL,
        workload TEXT NOT NULL,
        class TEXT NOT NULL,
        node TEXT NOT NULL,
        toMs INTEGER,
        pricePerHourMicro INTEGER NOT NULL,
        currency TEXT NOT NULL,
        PRIMARY KEY (replica, fromMs)
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX ledgerByWorkload ON ledger (workload, fromMs);

      CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
    `,
  },
  {
    version: 2,
    name: 'packed journal bodies',
    sql: 'ALTER TABLE journal ADD COLUMN packed BLOB;',
  },
  {
    version: 3,
    name: 'how the machine of a ledger row is rented',
    sql: 'ALTER TABLE ledger ADD COLUMN capacityType TEXT;',
  },
  {
    version: 4,
    name: 'ledger of nodes',
    sql: `
      CREATE TABLE nodeLedger (
        node TEXT PRIMARY KEY,
        pool TEXT NOT NULL,
        instanceType TEXT NOT NULL,
        capacityType TEXT NOT NULL,
        fromMs INTEGER NOT NULL,
        toMs INTEGER,
        pricePerHourMicro INTEGER NOT NULL,
        currency TEXT NOT NULL,
        cpuMilli INTEGER NOT NULL,
        memoryBytes INTEGER NOT NULL,
        gpuMilli INTEGER NOT NULL
      ) STRICT, WITHOUT ROWID;
      CREATE INDEX nodeLedgerByTime ON nodeLedger (fromMs);
    `,
  },
];
