import { expect, test } from 'vitest';
import { table } from './table.ts';

test('columns are aligned, numbers to the right, and nothing trails', () => {
  const rows = [
    { name: 'upscaler', ready: 2, url: 'http://127.0.0.1:8080/upscale' },
    { name: 'a', ready: 10, url: '' },
  ];
  expect(
    table(
      [
        { title: 'name', value: (row) => row.name },
        { title: 'ready', align: 'right', value: (row) => String(row.ready) },
        { title: 'url', value: (row) => row.url },
      ],
      rows,
    ),
  ).toEqual(['NAME      READY  URL', 'upscaler      2  http://127.0.0.1:8080/upscale', 'a            10']);
});
