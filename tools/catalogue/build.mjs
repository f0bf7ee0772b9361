/**
 * Makes packages/catalogue/data/list-prices.csv from the tables of one folder (aws.csv, gcp.csv, azure.csv and
 * aws-spot-sample.csv; packages/catalogue/data/README.md says where they come from):
 *
 *   node tools/catalogue/build.mjs FOLDER
 *
 * Prices are copied as they are written; rows are sorted, so that a newer table gives a readable difference.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2];
if (!folder) {
  process.stderr.write('usage: node tools/catalogue/build.mjs FOLDER\n');
  process.exit(2);
}
const target = new URL('../../packages/catalogue/data/list-prices.csv', import.meta.url);
const columns = [
  'cloud',
  'region',
  'zone',
  'instance',
  'arch',
  'vcpu',
  'memory_gib',
  'gpu_model',
  'gpu_count',
  'gpu_mem_gib',
  'on_demand_usd_h',
  'spot_usd_h',
];

/** Rows as objects; a row of another length than the head is an error. */
function readTable(name) {
  const [head, ...lines] = readFileSync(join(folder, name), 'utf8').trim().split(/\r?\n/);
  const names = head.split(',');
  return lines.map((line, index) => {
    const cells = line.split(',');
    if (cells.length !== names.length)
      throw new Error(`${name}:${index + 2}: ${cells.length} cells, not ${names.length}`);
    return Object.fromEntries(names.map((one, at) => [one, cells[at]]));
  });
}

const main = ['aws.csv', 'gcp.csv', 'azure.csv']
  .flatMap(readTable)
  .map(({ provider, ...row }) => ({ ...row, cloud: provider, zone: '' }));
const shapes = new Map(main.map((row) => [`${row.cloud} ${row.instance}`, row]));
const known = new Set(main.map((row) => `${row.cloud} ${row.region} ${row.instance}`));

/** A spot price holds in its zone; the on-demand price of the same line holds in the whole region. */
const sampled = readTable('aws-spot-sample.csv').flatMap(
  ({ instance, region, zone_id: zone, on_demand_usd_h, spot_usd_h }) => {
    const shape = shapes.get(`aws ${instance}`);
    if (!shape) throw new Error(`aws-spot-sample.csv: the shape of ${instance} is not in aws.csv`);
    const row = { ...shape, region, zone: '', on_demand_usd_h, spot_usd_h: '' };
    const place = `aws ${region} ${instance}`;
    const regional = known.has(place) ? [] : [row];
    known.add(place);
    return [...regional, { ...row, zone, on_demand_usd_h: '', spot_usd_h }];
  },
);

const text = [...main, ...sampled]
  .map((row) => columns.map((name) => row[name] ?? '').join(','))
  .sort((left, right) => (left < right ? -1 : 1));
writeFileSync(target, `${[columns.join(','), ...text].join('\n')}\n`);
process.stdout.write(`${text.length} rows\n`);
