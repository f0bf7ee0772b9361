import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type KubernetesObject, readObject } from '../client/objects.ts';
import { parseSelector, selectorOf } from '../client/selector.ts';
import { PodIndex } from './podIndex.ts';
import { TargetIndex } from './targetIndex.ts';

function pod(name: string, labels: Record<string, string>, namespace = 'default'): KubernetesObject {
  const object = readObject(
    { metadata: { name, namespace, uid: `${namespace}-${name}`, labels } },
    { apiVersion: 'v1', kind: 'Pod' },
  );
  if (!object) throw new Error('no pod');
  return object;
}

const aNamespace = fc.constantFrom('default', 'shop');
const labels = fc.dictionary(fc.constantFrom('app', 'tier', 'team'), fc.constantFrom('a', 'b', 'c'), { maxKeys: 3 });
const aSelector = fc.constantFrom(
  'app=a',
  'app=b,tier=a',
  'tier in (a)',
  'tier in (a,b)',
  'team',
  '!app',
  'app!=a',
  'app=c,team',
);

describe('pods and targets by their labels', () => {
  it('a selector names a label with its one value where it has one', () => {
    expect(parseSelector('!tier,app=a').pair).toEqual(['app', 'a']);
    expect(parseSelector('tier in (a,b)').pair).toBeNull();
    expect(selectorOf({ matchLabels: { app: 'web' } }).pair).toEqual(['app', 'web']);
    expect(selectorOf({}).pair).toBeNull();
  });

  it('finds what comparing everything with everything finds, whatever comes and goes', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ put: fc.nat(9), namespace: aNamespace, labels }),
        fc.record({ gone: fc.nat(9), namespace: aNamespace }),
        fc.record({ ask: aSelector, namespace: aNamespace }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const pods = new Map<string, KubernetesObject>();
        const index = new PodIndex({ list: () => [...pods.values()] });
        for (const step of all) {
          if ('put' in step) {
            const one = pod(`pod-${step.put}`, step.labels, step.namespace);
            pods.set(one.uid, one);
            index.seen(one);
          } else if ('gone' in step) {
            const found = pods.get(`${step.namespace}-pod-${step.gone}`);
            if (!found) continue;
            pods.delete(found.uid);
            index.gone(found);
          } else {
            const selector = parseSelector(step.ask);
            const wanted = [...pods.values()].filter((one) => one.namespace === step.namespace && selector(one.labels));
            const found = index.near(step.namespace, selector).filter((one) => selector(one.labels));
            expect(found.map(({ uid }) => uid).sort()).toEqual(wanted.map(({ uid }) => uid).sort());
          }
        }
      }),
    );
  });

  it('finds the target of a pod', () => {
    const targets = fc.array(fc.record({ namespace: aNamespace, selector: aSelector }), { maxLength: 8 });
    fc.assert(
      fc.property(targets, aNamespace, labels, (all, namespace, own) => {
        const index = new TargetIndex();
        const made = all.map((one) => ({
          reference: { namespace: one.namespace },
          state: { selector: parseSelector(one.selector) },
        }));
        for (const one of made) index.add(one);
        const selects = made.filter((one) => one.reference.namespace === namespace && one.state.selector(own));
        const found = index.ownerOf({ namespace, labels: own });
        if (selects.length === 0) expect(found).toBeNull();
        else expect(selects).toContain(found);
        for (const one of made) index.delete(one);
        expect(index.ownerOf({ namespace, labels: own })).toBeNull();
      }),
    );
  });

  it('compares a pod with its own target among thousands', () => {
    const index = new TargetIndex();
    let compared = 0;
    for (let at = 0; at < 2000; at++) {
      const selector = selectorOf({ matchLabels: { app: `app-${at}` } });
      const counting = Object.assign(
        (own: Readonly<Record<string, string>>) => {
          compared++;
          return selector(own);
        },
        { pair: selector.pair, text: selector.text },
      );
      index.add({ reference: { namespace: 'default' }, state: { selector: counting } });
    }
    for (let at = 0; at < 2000; at++)
      expect(index.ownerOf({ namespace: 'default', labels: { app: `app-${at}` } })).not.toBeNull();
    expect(compared).toBe(2000);
  });
});
