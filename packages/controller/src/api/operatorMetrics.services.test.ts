import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { yamlText, yamlValues } from '@ebb/documents';
import { available, type PrometheusService, startPrometheus, until } from '@ebb/testing/services';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leadingMetrics } from './operatorMetrics.fixture.ts';
import { operatorMetricsText } from './operatorMetrics.ts';

const manifests = fileURLToPath(new URL('../../../../manifests/', import.meta.url));
const rulesPath = `${manifests}prometheus/rules.yaml`;
const promtool = promisify(execFile);

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}
interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}

const dashboard = JSON.parse(readFileSync(`${manifests}grafana/ebb.json`, 'utf8')) as Dashboard;
const [rules] = yamlValues(readFileSync(rulesPath, 'utf8')) as [Rules];
const asPrometheus = (expr: string) =>
  expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(namespace|workload)/g, '.*');

describe.runIf(available('prometheus'))('a real Prometheus', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ebb-rules-'));
  let page: Server;
  let prometheus: PrometheusService;

  beforeAll(async () => {
    const metrics = await leadingMetrics();
    page = createServer((_, answer) => {
      answer.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
      answer.end(operatorMetricsText(metrics));
    });
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    prometheus = await startPrometheus({ targets: [`127.0.0.1:${(page.address() as AddressInfo).port}`] });
    await until(async () => (await prometheus.query('rate(ebb_start_time_seconds[1m])')).length === 1, {
      withinMs: 30_000,
      what: () => 'two scrapes',
    });
  });
  afterAll(async () => {
    await prometheus?.stop();
    page?.closeAllConnections();
    page?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('reads the page of an operator, and answers every query of the dashboard', async () => {
    const empty: string[] = [];
    for (const { title, targets } of dashboard.panels) {
      for (const { expr } of targets) if ((await prometheus.query(asPrometheus(expr))).length === 0) empty.push(title);
    }
    // No machines are rented here.
    expect([...new Set(empty)].sort()).toEqual(['Cost of machines beside the least', 'Machines']);
  });

  it('evaluates every alert, and fires the one that is true', async () => {
    const firing: string[] = [];
    for (const { alert, expr } of rules.groups.flatMap((group) => group.rules)) {
      if ((await prometheus.query(expr)).length > 0) firing.push(alert);
    }
    expect(firing).toEqual(['EbbTriggerFailing']);
  });

  it('has promtool find the rules right, and each alert where it belongs', async () => {
    await promtool('promtool', ['check', 'rules', rulesPath]);
    const series = (name: string, values: string) => ({ series: name, values });
    const key = 'namespace="shop",workload="web"';
    const at = (alertname: string, minutes: number, exp_alerts: object[]) => ({
      eval_time: `${minutes}m`,
      alertname,
      exp_alerts,
    });
    const web = { namespace: 'shop', workload: 'web', severity: 'warning' };
    const test = (input_series: object[], alert_rule_test: object[]) => ({
      interval: '1m',
      input_series,
      alert_rule_test,
    });
    const texts = (name: string) => expectedAnnotations(name);
    const file = {
      rule_files: [rulesPath],
      evaluation_interval: '1m',
      tests: [
        test(
          [],
          [
            at('EbbNobodyDecides', 1, []),
            at('EbbNobodyDecides', 4, [
              { exp_labels: { severity: 'critical' }, exp_annotations: texts('EbbNobodyDecides') },
            ]),
          ],
        ),
        test([series('ebb_leader', '1x30')], [at('EbbNobodyDecides', 20, []), at('EbbSeveralDecide', 20, [])]),
        test(
          [
            series(`ebb_replicas{${key},class="a",state="wanted"}`, '3x40'),
            series(`ebb_replicas{${key},class="a",state="ready"}`, '1x30 3x10'),
          ],
          [
            at('EbbReplicasMissing', 10, []),
            at('EbbReplicasMissing', 20, [{ exp_labels: web, exp_annotations: texts('EbbReplicasMissing') }]),
            at('EbbReplicasMissing', 35, []),
          ],
        ),
        test(
          [
            series(`ebb_workload_condition{${key},condition="Available"}`, '0x30'),
            series(`ebb_workload_condition{${key},condition="Active"}`, '0x30'),
          ],
          [at('EbbWorkloadNotAvailable', 15, [{ exp_labels: web, exp_annotations: texts('EbbWorkloadNotAvailable') }])],
        ),
      ],
    };
    const path = join(folder, 'test.yaml');
    writeFileSync(path, yamlText([file]));
    const { stdout } = await promtool('promtool', ['test', 'rules', path]).catch(
      (error: { stdout?: string; stderr?: string }) => {
        throw new Error(`${error.stdout ?? ''}${error.stderr ?? ''}`);
      },
    );
    expect(stdout).toContain('SUCCESS');
  });
});

/** Of an alert about `shop/web`, or about nothing in particular. */
function expectedAnnotations(name: string): Record<string, string> {
  const found = rules.groups.flatMap((group) => group.rules).find(({ alert }) => alert === name);
  const { annotations } = found as unknown as { annotations: Record<string, string> };
  const filled = (text: string) =>
    text.replaceAll('{{ $labels.namespace }}', 'shop').replaceAll('{{ $labels.workload }}', 'web');
  return Object.fromEntries(Object.entries(annotations).map(([key, text]) => [key, filled(text)]));
}
