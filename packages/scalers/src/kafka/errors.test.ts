import {
  AuthenticationError,
  MultipleErrors,
  NetworkError,
  ResponseError,
  TimeoutError,
  UserError,
} from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { SourceError } from '../contract/errors.ts';
import { codeError, kafkaCodes, kafkaError, PassingError } from './errors.ts';

const refused = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:1'), { code: 'ECONNREFUSED' });
const response = (code: number) => new ResponseError(36, 2, { '/': [code, 'said the server'] }, {});

describe('kafkaError', () => {
  it.each<[string, Error, string, string]>([
    [
      'a refused connection',
      new NetworkError('Connection to b:1 failed.', { cause: refused }),
      'unreachable',
      'nothing listens there',
    ],
    [
      'several of them',
      new MultipleErrors('Cannot connect.', [new NetworkError('x', { cause: refused })]),
      'unreachable',
      'nothing listens there',
    ],
    ['silence', new TimeoutError('Connection to b:1 timed out.'), 'timeout', 'no answer within the time'],
    [
      'a refused sign-in',
      new NetworkError('Connection to b:1 failed.', {
        cause: new AuthenticationError('SASL', { cause: response(58) }),
      }),
      'unauthorized',
      'refused the sign-in',
    ],
    [
      'a sign-in that the client breaks off',
      new AuthenticationError('Server nonce does not match.'),
      'unauthorized',
      'refused the sign-in',
    ],
    [
      'a mechanism that is not offered',
      new AuthenticationError('Cannot find', { cause: response(33) }),
      'unauthorized',
      'does not offer this kind of sasl',
    ],
    [
      'a listener without sign-in',
      new AuthenticationError('Cannot find', { cause: response(34) }),
      'unauthorized',
      'leave sasl out',
    ],
    ['a listener with TLS', new UserError('Broker requires TLS.'), 'unreachable', 'set tls to enable'],
    [
      'an error of a token',
      new AuthenticationError('provider', { cause: new SourceError('bad-answer', 'no access_token') }),
      'bad-answer',
      'no access_token',
    ],
  ])('%s', (_name, error, code, message) => {
    const found = kafkaError(error, 'b:1');
    expect(found).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(found.message).not.toContain('said the server');
  });

  it('calls a broken connection one that may come back', () => {
    expect(kafkaError(new NetworkError('Connection closed'), 'b:1')).toBeInstanceOf(PassingError);
    expect(kafkaError(new AuthenticationError('no'), 'b:1')).not.toBeInstanceOf(PassingError);
  });
});

it('names an unknown code', () => {
  expect(codeError(87, 'b:1', 'topic orders')).toMatchObject({
    code: 'bad-answer',
    message: "b:1: topic orders Kafka's error 87",
  });
  expect(codeError(kafkaCodes.groupAuthorizationFailed, 'b:1', 'group g')).toMatchObject({ code: 'unauthorized' });
});
