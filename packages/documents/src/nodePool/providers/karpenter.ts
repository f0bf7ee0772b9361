import { z } from 'zod';
import { rule } from '../../fields/rule.ts';

/** Names of objects of the whole cluster, as Kubernetes has them. */
const objectName = () =>
  z.string().regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, {
    error: 'must be lower-case letters, digits, - and .',
  });

/** The class that each cloud's Karpenter brings along, by the cloud of the Cluster. */
const nodeClasses = {
  aws: { group: 'karpenter.k8s.aws', kind: 'EC2NodeClass' },
  azure: { group: 'karpenter.azure.com', kind: 'AKSNodeClass' },
  gcp: { group: 'karpenter.k8s.gcp', kind: 'GCENodeClass' },
} as const;

/** Karpenter: how machines of a pool are made. */
export const karpenterSchema = z
  .strictObject({
    nodeClassRef: z
      .strictObject({
        group: z
          .string()
          .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, { error: 'is not the group of an API' })
          .prefault(nodeClasses.aws.group)
          .meta({ description: 'Group of its kind.' }),
        kind: z
          .string()
          .regex(/^[A-Z][A-Za-z0-9]{0,62}$/, { error: 'is not a kind of object' })
          .prefault(nodeClasses.aws.kind)
          .meta({ description: 'Its kind.' }),
        name: objectName().meta({ description: 'Its name.', examples: ['default'] }),
      })
      .meta({
        description:
          "The node class: images, networks and roles of the machines, as Karpenter's provider of the cloud has it.",
        examples: [{ name: 'default' }],
      }),
  })
  .check(
    rule(['nodeClassRef'], ({ nodeClassRef: { group, kind } }, report) => {
      const known = Object.values(nodeClasses).find((one) => one.group === group);
      if (!known || known.kind === kind) return;
      report(['nodeClassRef', 'kind'], `the class of ${group} is ${known.kind}, not ${kind}`, {
        code: 'invalid-value',
      });
    }),
  );

/** How Karpenter makes the machines of a pool. */
export type KarpenterPoolSpec = z.output<typeof karpenterSchema>;
