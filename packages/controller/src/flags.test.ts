import { describe, expect, it } from 'vitest';
import { readFlags } from './flags.ts';

describe('readFlags', () => {
  it('needs the data folder only', () => {
    expect(readFlags(['--data', 'd'])).toEqual({
      dataDirectory: 'd',
      host: '127.0.0.1',
      apiPort: 7070,
      gatewayPort: 8080,
      page: true,
      metricsOpen: false,
      catalogue: null,
      logFile: null,
      logLevel: 'info',
    });
  });

  it.each([
    [[], /--data is missing/],
    [['--data', 'd', '--api-port', '65536'], /--api-port must be 0 to 65535, found "65536"/],
    [['--data', 'd', '--gateway-port', '1e3'], /--gateway-port must be 0 to 65535, found "1e3"/],
    [['--data', 'd', '--log-level', 'loud'], /--log-level must be one of .*found "loud"/],
    [['--data', 'd', '--api-prot', '1'], /--api-prot/],
  ])('refuses %j', (args, message) => {
    expect(() => readFlags(args)).toThrow(
      expect.objectContaining({ exit: 'usage', message: expect.stringMatching(message) }),
    );
  });
});
