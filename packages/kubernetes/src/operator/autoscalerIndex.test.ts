import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import { AutoscalerIndex } from './autoscalerIndex.ts';

const names = ['a', 'b', 'c'];
const hpa = (namespace: string, name: string, target: string): KubernetesObject => {
  const body = { metadata: { name, namespace }, spec: { scaleTargetRef: { kind: 'Deployment', name: target } } };
  const object = readObject(body, { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' });
  if (!object) throw new Error('no object');
  return object;
};

it('finds the HPAs of a target, whatever they named before', () => {
  const name = fc.constantFrom(...names);
  const change = fc.record({ namespace: name, name, target: fc.option(name) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
      const index = new AutoscalerIndex();
      const there = new Map<string, KubernetesObject>();
      for (const { namespace, name, target } of changes) {
        const key = `${namespace}/${name}`;
        const before = there.get(key) ?? null;
        if (target !== null) {
          const object = hpa(namespace, name, target);
          there.set(key, object);
          index.onEvent({ type: 'put', object, before });
        } else if (before) {
          there.delete(key);
          index.onEvent({ type: 'delete', object: before });
        }
      }
      for (const namespace of names) {
        for (const target of names) {
          const expected = [...there.values()].filter(
            (one) => one.namespace === namespace && JSON.stringify(one.body).includes(`"name":"${target}"}}`),
          );
          expect(new Set(index.of({ namespace, name: target }))).toEqual(new Set(expected));
        }
      }
    }),
  );
});
