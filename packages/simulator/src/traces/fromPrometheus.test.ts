import { expect, it } from 'vitest';
import { fromPrometheus } from './fromPrometheus.ts';

it('says where nothing answers, without the password', async () => {
  const asked = fromPrometheus('http://ada:secret@127.0.0.1:1/', 'up', { fromSeconds: 0, toSeconds: 10 }, 1);
  await expect(asked).rejects.toThrow(/^http:\/\/127\.0\.0\.1:1: cannot be asked/);
});

it('refuses a range that ends before it begins', async () => {
  await expect(fromPrometheus('http://127.0.0.1:1', 'up', { fromSeconds: 9, toSeconds: 1 }, 1)).rejects.toThrow(
    RangeError,
  );
});
