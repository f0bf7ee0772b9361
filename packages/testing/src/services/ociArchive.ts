import { createHash } from 'node:crypto';

export interface ImageFile {
  /** Within the image, without a leading slash. */
  readonly path: string;
  readonly content: Buffer;
}

/**
 * An image of a few executable files as an OCI archive, which `ctr images import` takes: no registry, no builder, and the
 * same bytes for the same files.
 */
export function ociArchive(name: string, files: readonly ImageFile[], entrypoint: readonly string[]): Buffer {
  const layer = tar(files.map(({ path, content }) => ({ path, content, mode: 0o755 })));
  const sum = sha256(layer);
  const all = [
    ...ociFiles(name, { sha256: sum, size: layer.length }, { Entrypoint: entrypoint }),
    { path: blobPath(sum), content: layer },
  ];
  return tar(all.map((file) => ({ ...file, mode: 0o644 })));
}

/** Where the content of a sum is in an OCI archive. */
export function blobPath(sum: string): string {
  return `blobs/sha256/${sum}`;
}

/** Everything of an OCI archive of one layer but the layer itself. `settings` are those of an image: Entrypoint, Env, User … */
export function ociFiles(name: string, layer: { sha256: string; size: number }, settings: object): ImageFile[] {
  const config = json({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: settings,
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer.sha256}`] },
    history: [{ created_by: 'ebb tests' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [
      { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: `sha256:${layer.sha256}`, size: layer.size },
    ],
  });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
  const index = json({
    schemaVersion: 2,
    manifests: [{ ...described('application/vnd.oci.image.manifest.v1+json', manifest), annotations }],
  });
  return [
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: index },
    ...[config, manifest].map((content) => ({ path: blobPath(sha256(content)), content })),
  ];
}

function described(mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: `sha256:${sha256(content)}`, size: content.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

const blockLength = 512;

/** POSIX ustar: plain files of root, dated 1970. Paths of more than 100 characters are not wanted here. */
function tar(files: readonly (ImageFile & { mode: number })[]): Buffer {
  const parts = files.flatMap(({ path, content, mode }) => {
    if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for this archive`);
    const header = Buffer.alloc(blockLength);
    const octal = (value: number, width: number) => `${value.toString(8).padStart(width - 1, '0')}\0`;
    header.write(path, 0);
    header.write(octal(mode, 8), 100);
    header.write(octal(0, 8), 108);
    header.write(octal(0, 8), 116);
    header.write(octal(content.length, 12), 124);
    header.write(octal(0, 12), 136);
    header.write('        0', 148);
    header.write('ustar\u000000', 257);
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, content, Buffer.alloc((blockLength - (content.length % blockLength)) % blockLength)];
  });
  return Buffer.concat([...parts, Buffer.alloc(2 * blockLength)]);
}
