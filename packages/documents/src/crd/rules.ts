import type { CelRule } from './structuralSchema.ts';

/** Rules between fields, by kind and by the path of the object that they stand on (`[]`: each element of a list). */
export const crdRules: Readonly<Record<string, Readonly<Record<string, readonly CelRule[]>>>> = {
  Workload: {
    'spec.scaling': [
      atMost('minReplicas', 'maxReplicas'),
      atMost('minReplicas', 'initialReplicas'),
      atMost('initialReplicas', 'maxReplicas'),
      {
        rule: '!has(self.schedules) || self.schedules.all(it, !has(it.minReplicas) || it.minReplicas <= self.maxReplicas)',
        message: 'a minReplicas in schedules is larger than maxReplicas',
        fieldPath: '.schedules',
      },
      {
        rule: '!has(self.events) || self.events.all(it, !has(it.minReplicas) || it.minReplicas <= self.maxReplicas)',
        message: 'a minReplicas in events is larger than maxReplicas',
        fieldPath: '.events',
      },
    ],
    'spec.update': [
      {
        rule:
          "has(self.type) && self.type == 'Recreate' || !has(self.maxSurge) || self.maxSurge > 0 || " +
          'has(self.maxUnavailable) && self.maxUnavailable > 0',
        message: 'maxSurge and maxUnavailable are both 0, so no replica could ever be replaced',
        fieldPath: '.maxSurge',
      },
    ],
    spec: [
      {
        rule:
          '!has(self.interruption) || !has(self.placement) || !has(self.placement.interruption) || ' +
          'self.interruption == self.placement.interruption',
        message: 'interruption is one thing for the workload and another in placement; write it once',
        fieldPath: '.interruption',
      },
      {
        rule:
          '!has(self.serving) || !has(self.serving.deferrable) || ' +
          'self.classes.all(it, !has(it.concurrency) || it.concurrency > 0)',
        message: 'deferrable requests fill free slots, and a class of concurrency 0 has no number of them',
        fieldPath: '.serving.deferrable',
      },
    ],
  },
  NodePool: {
    spec: [
      atMost('minNodes', 'maxNodes'),
      atMost('warmSpares', 'maxNodes'),
      {
        rule: "!has(self.spot) || has(self.capacityTypes) && 'spot' in self.capacityTypes",
        message: 'spot says nothing for a pool that does not rent spot; add spot to capacityTypes',
        fieldPath: '.spot',
      },
    ],
  },
};

/**
 * Both fields are whole numbers; one that is not written cannot be wrong. The message has no numbers: the API server reckons
 * with the longest text that could be joined, and refuses the rule for it.
 */
function atMost(small: string, large: string): CelRule {
  return {
    rule: `!has(self.${small}) || !has(self.${large}) || self.${small} <= self.${large}`,
    message: `${small} is larger than ${large}`,
    fieldPath: `.${small}`,
  };
}
