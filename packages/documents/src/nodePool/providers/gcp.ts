import { z } from 'zod';
import { nameField } from '../../fields/names.ts';
import { bytesField } from '../../fields/quantity.ts';
import { rule } from '../../fields/rule.ts';
import { addressField } from './address.ts';
import { capacityTypes } from '../priceFactors.ts';

/** What Compute Engine takes as the name of a resource. */
const resourceName = () =>
  z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/, {
    error: 'must be up to 63 lower-case letters, digits and dashes, and begin with a letter',
  });
/** A resource's name or its path from `projects/` or `global/` on. */
const resourcePath = () =>
  z.string().regex(/^[A-Za-z0-9][-A-Za-z0-9_./:]{0,500}$/, { error: 'must be the path of a resource' });

const groupSchema = z.strictObject({
  name: resourceName().meta({ description: 'Name of the managed instance group.' }),
  zone: resourceName().meta({ description: 'Its zone.', examples: ['europe-west4-a'] }),
  instanceType: z
    .string()
    .min(1)
    .max(128)
    .meta({ description: 'The machine type of its template.', examples: ['g2-standard-4'] }),
  capacityType: z.enum(capacityTypes).prefault('on-demand').meta({ description: 'How its template rents machines.' }),
});

/** Google Cloud: how machines of a pool are made. */
export const gcpSchema = z
  .strictObject({
    project: z
      .string()
      .regex(/^([a-z][-a-z0-9.]*:)?[a-z][-a-z0-9]{4,28}[a-z0-9]$/, { error: 'is not the id of a project' })
      .meta({ description: 'Id of the project whose machines they are.', examples: ['vision-prod'] }),
    credentialsSecretRef: z
      .strictObject({
        name: nameField().meta({ description: "Name of a Secret in the pool's namespace." }),
        key: z
          .string()
          .regex(/^[-._a-zA-Z0-9]{1,253}$/, { error: 'is not a key of a Secret' })
          .prefault('key.json')
          .meta({ description: 'Key within it.' }),
      })
      .optional()
      .meta({
        description:
          'Where the JSON key of a service account is, or a ready access token. Left out: application default credentials.',
      }),
    groups: z.array(groupSchema).max(100).prefault([]).meta({
      description:
        'Managed instance groups out of which machines come, one for each machine type, zone and capacity type.',
    }),
    template: z
      .string()
      .regex(/^(global|regions\/[-a-z0-9]+)\/instanceTemplates\/[-a-z0-9]+$/, {
        error: 'must be global/instanceTemplates/NAME or regions/REGION/instanceTemplates/NAME',
      })
      .optional()
      .meta({
        description:
          'Instance template of machines that are made one by one; machine type and capacity come from the plan.',
        examples: ['global/instanceTemplates/ebb-gpu'],
      }),
    image: resourcePath()
      .optional()
      .meta({
        description: 'Disk image of machines that are made one by one without a template.',
        examples: ['projects/debian-cloud/global/images/family/debian-12'],
      }),
    diskSize: bytesField().prefault('100Gi').meta({ description: 'Boot disk of a machine made from an image.' }),
    diskType: resourceName().prefault('pd-balanced').meta({ description: 'Kind of that disk.' }),
    network: resourcePath()
      .prefault('global/networks/default')
      .meta({ description: 'Network of machines made from an image.' }),
    subnetwork: resourcePath()
      .optional()
      .meta({ description: "Its subnetwork. Left out: the network's own of the region." }),
    publicAddress: z
      .boolean()
      .prefault(false)
      .meta({ description: 'Whether machines made from an image get a public address.' }),
    serviceAccount: z
      .string()
      .regex(/^[^@\s]+@[^@\s]+$/, { error: 'is not the address of a service account' })
      .optional()
      .meta({ description: 'Whom programs on machines made from an image act as. Left out: nobody.' }),
    metadata: z
      .record(z.string().regex(/^[-_A-Za-z0-9]{1,128}$/), z.string().max(262_144))
      .prefault({})
      .meta({ description: 'Metadata of machines made one by one, such as `startup-script`.' }),
    acceleratorType: resourceName()
      .optional()
      .meta({
        description: 'The GPU that is attached to machine types without built-in ones (N1).',
        examples: ['nvidia-tesla-t4'],
      }),
    acceleratorCount: z.int().min(1).max(16).prefault(1).meta({ description: 'How many of them.' }),
    readyLabel: z.boolean().prefault(false).meta({
      description:
        'A machine is ready when it has the label `ebb-ready` with the value `true`. Left out: when it runs.',
    }),
    endpoint: addressField()
      .prefault('https://compute.googleapis.com')
      .meta({ description: 'Address of the Compute API, for Private Service Connect.' }),
  })
  .check(
    rule(['groups', 'template', 'image'], ({ groups, template, image }, report) => {
      const given = [groups.length > 0 && 'groups', template && 'template', image && 'image'].filter(Boolean);
      if (given.length === 1) return;
      const found = given.length === 0 ? 'there is none of them' : `there are ${given.join(' and ')}`;
      report([], `machines come from one of groups, template and image; ${found}`, { code: 'one-of' });
    }),
    rule(['groups'], ({ groups }, report) => {
      const seen = new Map<string, number>();
      for (const [index, { zone, instanceType, capacityType }] of groups.entries()) {
        const what = `${instanceType} ${capacityType} in ${zone}`;
        const earlier = seen.get(what);
        if (earlier === undefined) seen.set(what, index);
        else
          report(['groups', index], `two groups have ${what}`, {
            code: 'duplicate-name',
            related: [['groups', earlier]],
          });
      }
    }),
  );

type Gcp = z.output<typeof gcpSchema>;

/** How Google Cloud makes the machines of a pool. */
export interface GcpPoolSpec
  extends Omit<
    Gcp,
    'credentialsSecretRef' | 'diskSize' | 'template' | 'image' | 'subnetwork' | 'serviceAccount' | 'acceleratorType'
  > {
  /** Null: application default credentials. */
  credentialsSecretRef: { name: string; key: string } | null;
  template: string | null;
  image: string | null;
  diskBytes: number;
  subnetwork: string | null;
  serviceAccount: string | null;
  acceleratorType: string | null;
}

export function resolveGcp(gcp: Gcp | undefined): GcpPoolSpec | null {
  if (gcp === undefined) return null;
  const { diskSize, ...rest } = gcp;
  return {
    ...rest,
    credentialsSecretRef: gcp.credentialsSecretRef ?? null,
    template: gcp.template ?? null,
    image: gcp.image ?? null,
    diskBytes: diskSize,
    subnetwork: gcp.subnetwork ?? null,
    serviceAccount: gcp.serviceAccount ?? null,
    acceleratorType: gcp.acceleratorType ?? null,
  };
}
