import { describe, expect, it } from 'vitest';
import { startOf } from '../testing/agentUnderTest.ts';
import { expand, replicaEnvironment } from './environment.ts';

describe('expand', () => {
  it.each([
    ['--port=$(PORT)', '--port=8080'],
    ['$(PORT)$(PORT)', '80808080'],
    ['$$(PORT)', '$(PORT)'],
    ['$$$(PORT)', '$8080'],
    ['$(NOPE) $(toString) $PORT ${PORT} $( PORT)', '$(NOPE) $(toString) $PORT ${PORT} $( PORT)'],
    ['$', '$'],
    ['$(', '$('],
  ])('turns %s into %s', (text, expected) => {
    expect(expand(text, { PORT: '8080' })).toBe(expected);
  });
});

describe('replicaEnvironment', () => {
  it('lets a value refer to those before it only, and the document set PATH but not PORT', () => {
    const env = { A: '1', B: '$(A)$(C)', C: '3', PATH: '/opt/bin', PORT: '1', EBB_REPLICA: 'other' };
    const start = startOf('r', [], { env, envFromHost: ['HOME', 'PATH'] });
    expect(replicaEnvironment(start, 20_001, { PATH: '/bin', HOME: '/h', SECRET: 's' })).toEqual({
      A: '1',
      B: '1$(C)',
      C: '3',
      HOME: '/h',
      PATH: '/opt/bin',
      PORT: '20001',
      EBB_REPLICA: 'r',
      EBB_WORKLOAD: 'local/default/hello',
    });
  });
});
