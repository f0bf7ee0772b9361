import { z } from 'zod';
import { nameField } from '../../fields/names.ts';
import { reportDuplicates, rule } from '../../fields/rule.ts';
import { plainText } from '../../fields/text.ts';

/** An id of AWS: `subnet-0a1b2c3d`. */
const awsId = (prefix: string) =>
  z
    .string()
    .regex(new RegExp(`^${prefix}-[0-9a-f]{8,17}$`), { error: `must be an id such as ${prefix}-0a1b2c3d4e5f67890` });

const launchTemplateSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9().\-/_]{3,128}$/, { error: 'is not the name of a launch template' })
    .meta({ description: 'Its name.', examples: ['ebb-gpu'] }),
  version: z
    .string()
    .regex(/^(\d+|\$Default|\$Latest)$/, { error: 'must be a number in quotes, $Default or $Latest' })
    .prefault('$Default')
    .meta({ description: 'Which version.' }),
});

const subnetsSchema = z
  .array(
    z.strictObject({
      zone: z
        .string()
        .regex(/^[a-z0-9-]{1,63}$/, { error: 'must be a zone such as eu-central-1a' })
        .meta({ description: 'Its zone.', examples: ['eu-central-1a'] }),
      id: awsId('subnet').meta({ description: 'Its id.' }),
    }),
  )
  .max(50)
  .check(
    rule(['*.zone'], (subnets, report) => {
      reportDuplicates(
        subnets.map(({ zone }) => zone),
        'zone',
        (index) => [index, 'zone'],
        report,
      );
    }),
  );

/** Only for machines that are made one by one; in a group the group's own template has them. */
const directFields = [
  'launchTemplate',
  'imageId',
  'subnets',
  'securityGroups',
  'instanceProfile',
  'userData',
  'userDataSecretRef',
  'capacityReservation',
] as const;

/** AWS: how machines of a pool are made. */
export const awsSchema = z
  .strictObject({
    autoScalingGroup: z
      .string()
      .regex(/^[\x20-\x39\x3b-\x7e]{1,255}$/, { error: 'is not the name of an Auto Scaling group' })
      .optional()
      .meta({
        description:
          'Machines are members of this Auto Scaling group, whose size Ebb sets. Nothing else may set it. Left out: machines are made one by one.',
        examples: ['ebb-gpu-spot'],
      }),
    launchTemplate: launchTemplateSchema.optional().meta({
      description: 'What machines are made from, one by one. What stands beside it here replaces what it says.',
    }),
    imageId: awsId('ami').optional().meta({ description: 'Machine image.' }),
    subnets: subnetsSchema.prefault([]).meta({
      description: "One for each zone. Empty: the launch template's, or the account's default ones.",
    }),
    securityGroups: z.array(awsId('sg')).max(16).prefault([]).meta({ description: 'Security groups, by id.' }),
    instanceProfile: z
      .string()
      .regex(/^(arn:aws[a-z-]*:iam::\d{12}:instance-profile\/[\w+=,.@/-]{1,512}|[\w+=,.@-]{1,128})$/, {
        error: 'must be the name or the ARN of an instance profile',
      })
      .optional()
      .meta({ description: 'Whom programs on the machines act as. Left out: nobody.' }),
    userData: plainText(16_384).optional().meta({
      description:
        'Script or cloud-init text of a new machine. `${EBB_NODE}`, `${EBB_CLUSTER}`, `${EBB_POOL}`, `${EBB_LABELS}` and `${EBB_TAINTS}` are put in.',
    }),
    userDataSecretRef: z
      .strictObject({
        name: nameField().meta({ description: "Name of a Secret in the pool's namespace." }),
        key: z
          .string()
          .regex(/^[-._a-zA-Z0-9]{1,253}$/, { error: 'is not a key of a Secret' })
          .prefault('userData')
          .meta({ description: 'Key within it.' }),
      })
      .optional()
      .meta({ description: 'The same out of a Secret, where it has a token with which nodes join.' }),
    capacityReservation: awsId('cr')
      .optional()
      .meta({ description: 'For `reserved` machines. Left out: any open reservation that fits.' }),
    limitSpotPrice: z.boolean().prefault(false).meta({
      description: 'Spot machines are rented for at most the price that they were planned with.',
    }),
    ready: z.enum(['statusChecks', 'tag', 'running']).prefault('statusChecks').meta({
      description:
        'When replicas may be placed: after both status checks, when the machine has given itself the tag `ebb.dev/ready`, or as soon as it runs.',
    }),
    tags: z
      .record(
        z.string().regex(/^(?!aws:|ebb\.dev\/)[^\0]{1,128}$/, { error: 'is not a tag, or one that is set by others' }),
        z.string().max(256),
      )
      .prefault({})
      .meta({ description: 'Further tags of the machines.' }),
    credentialsSecretRef: z
      .strictObject({
        name: nameField().meta({
          description:
            "Name of a Secret in the pool's namespace with `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, where needed, `AWS_SESSION_TOKEN`.",
        }),
      })
      .optional()
      .meta({ description: "How to sign in. Left out: as AWS's own programs do on the machine on which Ebb runs." }),
  })
  .check(
    rule(['autoScalingGroup', ...directFields], (aws, report) => {
      if (aws.autoScalingGroup === undefined) {
        if (aws.launchTemplate !== undefined || aws.imageId !== undefined) return;
        report([], 'machines come from an autoScalingGroup, a launchTemplate or an imageId; there is none of them', {
          code: 'one-of',
        });
        return;
      }
      for (const field of directFields) {
        const value = aws[field];
        if (value === undefined || (Array.isArray(value) && value.length === 0)) continue;
        report([field], `${field} belongs to machines that are made one by one; those of a group have the group's`, {
          code: 'one-of',
          related: [['autoScalingGroup']],
        });
      }
    }),
    rule(['userData', 'userDataSecretRef'], ({ userData, userDataSecretRef }, report) => {
      if (userData === undefined || userDataSecretRef === undefined) return;
      report(['userDataSecretRef'], 'the text of a new machine is in userData or in a Secret, not in both', {
        code: 'one-of',
        related: [['userData']],
      });
    }),
  );

type Aws = z.output<typeof awsSchema>;

/** How AWS makes the machines of a pool. */
export interface AwsPoolSpec extends Pick<Aws, 'subnets' | 'securityGroups' | 'limitSpotPrice' | 'ready' | 'tags'> {
  /** Null: machines are made one by one. */
  autoScalingGroup: string | null;
  launchTemplate: { name: string; version: string } | null;
  imageId: string | null;
  instanceProfile: string | null;
  userData: string | null;
  userDataSecretRef: { name: string; key: string } | null;
  capacityReservation: string | null;
  /** Null: the default chain of AWS. */
  credentialsSecretRef: { name: string } | null;
}

export function resolveAws(aws: Aws | undefined): AwsPoolSpec | null {
  if (aws === undefined) return null;
  return {
    ...aws,
    autoScalingGroup: aws.autoScalingGroup ?? null,
    launchTemplate: aws.launchTemplate ?? null,
    imageId: aws.imageId ?? null,
    instanceProfile: aws.instanceProfile ?? null,
    userData: aws.userData ?? null,
    userDataSecretRef: aws.userDataSecretRef ?? null,
    capacityReservation: aws.capacityReservation ?? null,
    credentialsSecretRef: aws.credentialsSecretRef ?? null,
  };
}
