import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { checkableText } from '../document.fixture.ts';
import { findPictureFolders, readPictures } from '../demo/pictures.ts';
import { prepareDemo } from '../demo/prepare.ts';
import { readDocuments } from '../documents.ts';
import { requestText } from './requestText.ts';
import { workloadStatus } from './status.fixture.ts';

let root = '';
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'ebb-pictures-'));
  mkdirSync(join(root, 'up scaler', 'images'), { recursive: true });
  writeFileSync(join(root, 'up scaler', 'images', 'readme.txt'), 'no picture');
  writeFileSync(join(root, 'up scaler', 'images', 'broken.png'), 'no picture either');
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folders() {
  const path = join(root, 'up scaler', 'workload.yaml');
  const sources = [
    { name: 'hello.yaml', path: join(root, 'hello.yaml'), text: checkableText('hello') },
    { name: 'up scaler/workload.yaml', path, text: checkableText('upscaler') },
    { name: '<stdin>', path: null, text: checkableText('piped') },
  ];
  const { documents, problems } = readDocuments(sources);
  expect(problems).toEqual([]);
  return findPictureFolders(documents, sources);
}

test('a workload with pictures beside its document gets one of them sent', () => {
  expect(requestText(workloadStatus(), folders(), root)).toBe(
    "curl -H content-type:image/png --data-binary '@up scaler/images/broken.png' http://127.0.0.1:8080/upscale -o larger.png",
  );
});

test('others are simply asked; without an address there is nothing to paste', () => {
  const url = 'http://127.0.0.1:8080/hello?a=1&b=2';
  expect(requestText(workloadStatus({ name: 'hello', url }), folders(), root)).toBe(`curl '${url}'`);
  expect(requestText(workloadStatus({ url: null }), folders(), root)).toBeNull();
});

test('a folder whose pictures cannot be read is refused', () => {
  expect(() => prepareDemo(folders())).toThrow('there is no PNG or JPEG picture in');
  expect(() => readPictures(join(root, 'absent'))).toThrow('there is no PNG or JPEG picture in');
});
