import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocuments, problemText, yamlValues } from '@ebb/documents';
import { describe, expect, test } from 'vitest';

const folder = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => yamlValues(readFileSync(folder + path, 'utf8')) as Part[];
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.yaml'));

/** Whatever a file has; what is asked of it is looked at one by one. */
interface Part {
  readonly [name: string]: Part;
}
const names = (part: Part | undefined) => Object.keys(part ?? {});

describe('what GitOps applies', () => {
  test('is of kinds and versions that are named', () => {
    expect(files).toHaveLength(11);
    const shapes = files.flatMap((file) => read(file).map((one) => ({ file, ...one })));
    const without = shapes.filter(
      (one) => !('apiVersion' in one && 'kind' in one) && one.file !== 'prometheus/scrape.yaml',
    );
    expect(without).toEqual([]);
  });

  test('leaves the number of replicas out, and its scaler is accepted', () => {
    const [deployment] = read('shop/deployment.yaml');
    expect(names(deployment?.spec)).not.toContain('replicas');
    const file = 'shop/scaledobject.yaml';
    const { documents, problems } = parseDocuments(readFileSync(folder + file, 'utf8'), { file });
    expect(problems.map(problemText)).toEqual([]);
    expect(documents).toHaveLength(1);
    const [kustomization] = read('shop/kustomization.yaml');
    expect(kustomization?.resources).toEqual(['deployment.yaml', 'scaledobject.yaml']);
  });

  test('sets only values that the chart has, and paths that there are', () => {
    const [values] = yamlValues(readFileSync(`${root}charts/ebb/values.yaml`, 'utf8')) as [Part];
    const [argo] = read('argocd/ebb.yaml');
    const [, flux] = read('flux/ebb.yaml');
    const chosen = [argo?.spec?.source?.helm?.valuesObject, flux?.spec?.values];
    for (const one of chosen) {
      expect(names(one).length).toBeGreaterThan(0);
      expect(names(one).filter((name) => !names(values).includes(name))).toEqual([]);
      expect(names(values?.image)).toEqual(expect.arrayContaining(names(one?.image)));
    }
    const [shop] = read('argocd/shop.yaml');
    const [, release] = read('flux/ebb.yaml');
    for (const path of [argo?.spec?.source?.path, shop?.spec?.source?.path, release?.spec?.chart?.spec?.chart]) {
      expect(existsSync(`${root}${String(path)}`), String(path)).toBe(true);
    }
  });

  test('gives the number of replicas to nobody', () => {
    const [shop] = read('argocd/shop.yaml');
    expect(shop?.spec?.ignoreDifferences).toContainEqual({
      group: 'apps',
      kind: 'Deployment',
      jsonPointers: ['/spec/replicas'],
    });
    expect(shop?.spec?.syncPolicy?.syncOptions).toEqual(
      expect.arrayContaining(['ServerSideApply=true', 'RespectIgnoreDifferences=true']),
    );
    const [, release] = read('flux/shop.yaml');
    expect(release?.spec?.driftDetection).toEqual({
      mode: 'enabled',
      ignore: [{ paths: ['/spec/replicas'], target: { kind: 'Deployment' } }],
    });
  });
});

test('Prometheus finds the port and the pods that the installation has', () => {
  const objects = yamlValues(readFileSync(`${root}manifests/ebb.yaml`, 'utf8')) as Part[];
  const operator = objects.find(
    ({ kind, metadata }) => String(kind) === 'Deployment' && String(metadata?.name) === 'ebb',
  );
  const { labels } = (operator?.spec?.template?.metadata ?? {}) as unknown as { labels: Record<string, string> };
  const { containers } = (operator?.spec?.template?.spec ?? {}) as unknown as {
    containers: { ports: { name: string; containerPort: number }[] }[];
  };
  const [container] = containers;
  const [monitor] = read('prometheus/podmonitor.yaml');
  const [policy] = read('prometheus/network-policy.yaml');
  for (const wanted of [monitor?.spec?.selector?.matchLabels, policy?.spec?.podSelector?.matchLabels]) {
    expect(labels).toMatchObject(wanted as unknown as Record<string, string>);
  }
  const port = container?.ports.find(({ name }) => name === 'health');
  expect(monitor?.spec?.podMetricsEndpoints).toMatchObject([{ port: port?.name, path: '/metrics' }]);
  expect(policy?.spec?.ingress).toMatchObject([{ ports: [{ protocol: 'TCP', port: port?.containerPort }] }]);
});
