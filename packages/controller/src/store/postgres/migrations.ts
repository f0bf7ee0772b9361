/**
 * One step of the schema's shape. A published one is never changed: a new shape is a new step. While a new version is rolled
 * out, the one before goes on writing: a step adds tables, columns with defaults and functions of new names, and takes nothing away
 * that the version before needs.
 */
export interface PostgresMigration {
  /** From 1, without gaps. */
  readonly version: number;
  readonly name: string;
  /** Statements for a schema, whose name is given quoted. */
  readonly sql: (schema: string) => string;
}

export const migrations: readonly PostgresMigration[] = [
  { version: 1, name: 'documents, journal, ledger and state', sql: tables },
  { version: 2, name: 'writes in groups', sql: writeFunction },
];

function tables(schema: string): string {
  return `
    -- One row. Whoever writes locks it, so that nothing of an older leader is committed after a new one took over.
    CREATE TABLE ${schema}.leader (
      one boolean PRIMARY KEY DEFAULT true CHECK (one),
      epoch bigint NOT NULL,
      -- Number of the last group of writes of this epoch: one that arrives late is not done after a later one.
      last_write bigint NOT NULL,
      resource_version bigint NOT NULL
    ) WITH (fillfactor = 20);
    INSERT INTO ${schema}.leader (epoch, last_write, resource_version) VALUES (0, 0, 0);

    CREATE TABLE ${schema}.documents (
      kind text COLLATE "C" NOT NULL,
      cluster text COLLATE "C" NOT NULL,
      namespace text COLLATE "C" NOT NULL,
      name text COLLATE "C" NOT NULL,
      api_version text NOT NULL,
      document text NOT NULL,
      origin text,
      resource_version bigint NOT NULL,
      generation bigint NOT NULL,
      created_at_ms bigint NOT NULL,
      PRIMARY KEY (kind, cluster, namespace, name)
    );

    CREATE TABLE ${schema}.journal (
      sequence bigint PRIMARY KEY,
      segment bigint NOT NULL,
      at_ms bigint NOT NULL,
      kind text COLLATE "C" NOT NULL,
      workload text COLLATE "C",
      body text NOT NULL,
      -- zstd, where it is shorter than the text.
      packed bytea
    );
    -- Wide enough that "the decision in force at that moment" is found without reading bodies.
    CREATE INDEX journal_by_workload ON ${schema}.journal (workload, sequence, at_ms, kind);
    CREATE INDEX journal_by_time ON ${schema}.journal (at_ms);

    CREATE TABLE ${schema}.segments (
      segment bigint PRIMARY KEY,
      first_sequence bigint NOT NULL,
      last_sequence bigint NOT NULL,
      to_ms bigint NOT NULL,
      bytes bigint NOT NULL
    ) WITH (fillfactor = 50);

    CREATE TABLE ${schema}.ledger (
      replica text COLLATE "C" NOT NULL,
      from_ms bigint NOT NULL,
      workload text COLLATE "C" NOT NULL,
      class text NOT NULL,
      node text NOT NULL,
      to_ms bigint,
      price_per_hour_micro bigint NOT NULL,
      currency text NOT NULL,
      capacity_type text,
      PRIMARY KEY (replica, from_ms)
    );
    CREATE INDEX ledger_by_workload ON ${schema}.ledger (workload, from_ms);

    CREATE TABLE ${schema}.node_ledger (
      node text COLLATE "C" PRIMARY KEY,
      pool text NOT NULL,
      instance_type text NOT NULL,
      capacity_type text NOT NULL,
      from_ms bigint NOT NULL,
      to_ms bigint,
      price_per_hour_micro bigint NOT NULL,
      currency text NOT NULL,
      cpu_milli bigint NOT NULL,
      memory_bytes bigint NOT NULL,
      gpu_milli bigint NOT NULL
    );
    CREATE INDEX node_ledger_by_time ON ${schema}.node_ledger (from_ms);

    CREATE TABLE ${schema}.state (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);`;
}

/**
 * A whole group in one statement, which is one round trip and one transaction. The answer is what was refused, by its place in
 * the group, or that a newer leader has taken over.
 */
function writeFunction(schema: string): string {
  return `
    CREATE FUNCTION ${schema}.write_group(own_epoch bigint, number bigint, writes json) RETURNS text
    LANGUAGE plpgsql AS $ebb$
    DECLARE
      newest bigint;
      last bigint;
      head bigint;
      done bigint;
      one json;
      place bigint := -1;
      answers jsonb := '[]';
    BEGIN
      SELECT epoch, last_write INTO newest, last FROM ${schema}.leader FOR UPDATE;
      IF own_epoch <> newest THEN RETURN jsonb_build_object('newest', newest)::text; END IF;
      IF number <= last THEN RETURN jsonb_build_object('late', last)::text; END IF;
      UPDATE ${schema}.leader SET last_write = number;
      FOR one IN SELECT value FROM json_array_elements(writes) LOOP
        place := place + 1;
        CASE one->>'type'
        WHEN 'append' THEN
          SELECT coalesce(max(sequence), 0) INTO head FROM ${schema}.journal;
          IF head <> 0 AND (one->>'first')::bigint <> head + 1 THEN
            answers := answers || jsonb_build_object('at', place, 'head', head);
          ELSE
            WITH records AS MATERIALIZED (
              SELECT * FROM json_to_recordset(one->'records') AS record (
                sequence bigint, segment bigint, "atMs" bigint, kind text, workload text, body text, packed text, bytes bigint
              )
            ), appended AS (
              INSERT INTO ${schema}.journal (sequence, segment, at_ms, kind, workload, body, packed)
              SELECT sequence, segment, "atMs", kind, workload, body, decode(packed, 'base64') FROM records
            )
            INSERT INTO ${schema}.segments AS segment (segment, first_sequence, last_sequence, to_ms, bytes)
            SELECT records.segment, min(sequence), max(sequence), max("atMs"), sum(records.bytes) FROM records GROUP BY records.segment
            ON CONFLICT (segment) DO UPDATE SET
              last_sequence = excluded.last_sequence,
              to_ms = greatest(segment.to_ms, excluded.to_ms),
              bytes = segment.bytes + excluded.bytes;
          END IF;
        WHEN 'save' THEN
          IF (one->>'epoch')::bigint < newest THEN
            answers := answers || jsonb_build_object('at', place, 'newest', newest);
          ELSE
            INSERT INTO ${schema}.state (name, value) VALUES (one->>'name', one->>'value')
            ON CONFLICT (name) DO UPDATE SET value = excluded.value;
          END IF;
        WHEN 'drop' THEN
          DELETE FROM ${schema}.state WHERE name = one->>'name';
        WHEN 'ledger' THEN
          INSERT INTO ${schema}.ledger
            (replica, from_ms, workload, class, node, to_ms, price_per_hour_micro, currency, capacity_type)
          SELECT replica, "fromMs", workload, class, node, "toMs", "pricePerHourMicro", currency, "capacityType"
          FROM json_to_record(one->'row') AS row (
            replica text, "fromMs" bigint, workload text, class text, node text, "toMs" bigint,
            "pricePerHourMicro" bigint, currency text, "capacityType" text
          )
          ON CONFLICT (replica, from_ms) DO UPDATE SET
            workload = excluded.workload, class = excluded.class, node = excluded.node, to_ms = excluded.to_ms,
            price_per_hour_micro = excluded.price_per_hour_micro, currency = excluded.currency,
            capacity_type = excluded.capacity_type;
        WHEN 'node' THEN
          INSERT INTO ${schema}.node_ledger
            (node, pool, instance_type, capacity_type, from_ms, to_ms, price_per_hour_micro, currency,
             cpu_milli, memory_bytes, gpu_milli)
          SELECT node, pool, "instanceType", "capacityType", "fromMs", "toMs", "pricePerHourMicro", currency,
                 "cpuMilli", "memoryBytes", "gpuMilli"
          FROM json_to_record(one->'row') AS row (
            node text, pool text, "instanceType" text, "capacityType" text, "fromMs" bigint, "toMs" bigint,
            "pricePerHourMicro" bigint, currency text, "cpuMilli" bigint, "memoryBytes" bigint, "gpuMilli" bigint
          )
          ON CONFLICT (node) DO UPDATE SET
            pool = excluded.pool, instance_type = excluded.instance_type, capacity_type = excluded.capacity_type,
            from_ms = excluded.from_ms, to_ms = excluded.to_ms, price_per_hour_micro = excluded.price_per_hour_micro,
            currency = excluded.currency, cpu_milli = excluded.cpu_milli, memory_bytes = excluded.memory_bytes,
            gpu_milli = excluded.gpu_milli;
        WHEN 'trim' THEN
          DELETE FROM ${schema}.journal
          WHERE sequence BETWEEN (one->>'first')::bigint AND (one->>'last')::bigint;
          GET DIAGNOSTICS done = ROW_COUNT;
          answers := answers || jsonb_build_object('at', place, 'rows', done);
          IF one->>'segment' IS NOT NULL THEN
            DELETE FROM ${schema}.segments WHERE segment = (one->>'segment')::bigint;
          END IF;
        END CASE;
      END LOOP;
      RETURN jsonb_build_object('answers', answers)::text;
    END
    $ebb$;`;
}
