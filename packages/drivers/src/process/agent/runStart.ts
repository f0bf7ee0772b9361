import type { RunStart } from '@ebb/core';
import { Fields, readKey, readResources } from './replicaStart.ts';

/** Reads what the control plane (or a record) says is to be run once. Throws with the path of the first thing wrong. */
export function readRunStart(value: unknown): RunStart {
  const start = new Fields(value, 'start');
  return {
    id: start.text('id'),
    owner: readKey(start.object('owner')),
    node: start.text('node'),
    command: start.texts('command', 1),
    env: start.textMap('env'),
    envFromHost: start.texts('envFromHost', 0),
    workingDirectory: start.text('workingDirectory'),
    resources: readResources(start.object('resources')),
    terminationGraceMs: start.number('terminationGraceMs', 0),
  };
}
