import { expect, test } from 'vitest';
import { parseDocuments } from '../../parse/parseDocuments.ts';
import { problemText } from '../../problem.ts';
import { resolveNodePool } from '../resolve.ts';

const parsed = (aws: string) =>
  parseDocuments(`apiVersion: ebb.dev/v1alpha1\nkind: NodePool\nmetadata: { name: gpu }\nspec:\n  aws: ${aws}\n`, {
    file: 'pool.yaml',
  });
const errorsOf = (aws: string) =>
  parsed(aws)
    .problems.filter(({ severity }) => severity === 'error')
    .map(problemText);

test('machines one by one: defaults, then everything', () => {
  const aws = (text: string) => resolveNodePool(parsed(text).documents[0]?.document).aws;
  expect(aws('{ imageId: ami-0123456789abcdef0 }')).toEqual({
    autoScalingGroup: null,
    launchTemplate: null,
    imageId: 'ami-0123456789abcdef0',
    subnets: [],
    securityGroups: [],
    instanceProfile: null,
    userData: null,
    userDataSecretRef: null,
    capacityReservation: null,
    limitSpotPrice: false,
    ready: 'statusChecks',
    tags: {},
    credentialsSecretRef: null,
  });
  expect(
    aws(`{ launchTemplate: { name: ebb-gpu, version: "3" }, subnets: [{ zone: eu-central-1a, id: subnet-0123456789abcdef0 }],
      securityGroups: [sg-0123456789abcdef0], instanceProfile: ebb-node, userDataSecretRef: { name: join },
      capacityReservation: cr-0123456789abcdef0, ready: tag, tags: { owner: ml }, credentialsSecretRef: { name: aws } }`),
  ).toMatchObject({
    launchTemplate: { name: 'ebb-gpu', version: '3' },
    subnets: [{ zone: 'eu-central-1a', id: 'subnet-0123456789abcdef0' }],
    userDataSecretRef: { name: 'join', key: 'userData' },
    ready: 'tag',
  });
  expect(aws('{ autoScalingGroup: ebb-gpu, ready: running }')).toMatchObject({ autoScalingGroup: 'ebb-gpu' });
});

test.each([
  ['{}', 'there is none of them'],
  ['{ autoScalingGroup: a, imageId: ami-01234567 }', 'imageId belongs to machines that are made one by one'],
  ['{ autoScalingGroup: a, userData: x }', 'userData belongs to machines'],
  ['{ imageId: ami-x }', 'must be an id such as ami-0a1b2c3d4e5f67890'],
  ['{ imageId: ami-01234567, userData: x, userDataSecretRef: { name: y } }', 'not in both'],
  [
    '{ imageId: ami-01234567, subnets: [{ zone: a, id: subnet-01234567 }, { zone: a, id: subnet-01234568 }] }',
    'zone "a" is there twice',
  ],
  ['{ imageId: ami-01234567, tags: { ebb.dev/node: x } }', 'is not a tag, or one that is set by others'],
  ['{ launchTemplate: { name: gpu, version: 3 } }', 'version'],
  ['{ imageId: ami-01234567, accessKey: x }', 'unknown field'],
])('%s is refused', (aws, message) => {
  expect(errorsOf(aws).join('\n')).toContain(message);
});
