import { type StartPlan, VirtualSystem, workloadDocument } from '@ebb/testing';
import { expect, it } from 'vitest';
import type { ApplyInput } from './types.ts';

const key = { cluster: 'local', namespace: 'default', name: 'shop' };
const quick: StartPlan = { spawnUs: 20_000, listenUs: 50_000, readyUs: 130_000 };

function input(kind: string, version: string, name: string, spec: Record<string, unknown>): ApplyInput {
  return {
    apiVersion: version,
    kind,
    key: { ...key, name },
    document: { apiVersion: version, kind, metadata: { name }, spec },
    origin: null,
  };
}

async function systemWith(...inputs: ApplyInput[]): Promise<VirtualSystem> {
  const system = new VirtualSystem({ plan: () => quick });
  await system.start();
  await system.apply(workloadDocument('shop'));
  await system.await(system.engine.apply(inputs));
  await system.clock.advance(1000);
  return system;
}

const routesOf = (system: VirtualSystem) =>
  system.gateway.workloads()[0]?.serving.routes.map(({ host, pathPrefix }) => `${host ?? ''}${pathPrefix ?? ''}`);

it('an HTTPScaledObject routes to its workload and scales it by the requests of the gateway', async () => {
  const system = await systemWith(
    input('HTTPScaledObject', 'http.keda.sh/v1alpha1', 'shop-http', {
      hosts: ['shop.example.com'],
      pathPrefixes: ['/cart', '/pay'],
      scaleTargetRef: { name: 'shop', service: 'shop', port: 80 },
      replicas: { min: 0, max: 4 },
      scaledownPeriod: 10,
      scalingMetric: { concurrency: { targetValue: 2 } },
    }),
  );
  expect(routesOf(system)).toEqual(expect.arrayContaining(['shop.example.com/cart', 'shop.example.com/pay']));
  expect(system.triggers.opened.at(-1)?.request.triggers[0]).toMatchObject({
    type: 'http',
    metadata: { scalingMetric: 'concurrency', targetValue: '2', window: '1', workload: 'shop' },
  });
  system.triggers.set('http', { value: 6, active: true, target: 2 });
  await system.clock.advance(1000);
  expect(system.engine.status(key)).toMatchObject({ replicas: { ready: 3 }, maxReplicas: 4 });
  await system.await(system.engine.remove('HTTPScaledObject', { ...key, name: 'shop-http' }));
  await system.clock.advance(1000);
  expect(routesOf(system)).toEqual(['/shop']);
});

it('a trigger that names an InterceptorRoute counts at the gateway', async () => {
  const system = await systemWith(
    input('InterceptorRoute', 'http.keda.sh/v1beta1', 'front', {
      target: { service: 'shop', port: 80 },
      rules: [{ hosts: ['*.example.com'] }],
      scalingMetric: { requestRate: { targetValue: 50, window: '30s', granularity: '1s' } },
    }),
    input('ScaledObject', 'keda.sh/v1alpha1', 'shop-scaler', {
      scaleTargetRef: { name: 'shop' },
      triggers: [
        {
          type: 'external-push',
          name: 'requests',
          metadata: { scalerAddress: 'keda-http-add-on-external-scaler.keda:9090', interceptorRoute: 'front' },
        },
      ],
    }),
  );
  expect(routesOf(system)).toContain('*.example.com');
  expect(system.triggers.opened.at(-1)?.request.triggers[0]).toMatchObject({
    type: 'http',
    metadata: { scalingMetric: 'requestRate', targetValue: '50', window: '30', workload: 'shop' },
  });
});
