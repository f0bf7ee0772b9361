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
  const config = json({
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Entrypoint: entrypoint },
    rootfs: { type: 'layers', diff_ids: [digest(layer)] },
    history: [{ created_by: 'ebb tests' }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: described('application/vnd.oci.image.config.v1+json', config),
    layers: [described('application/vnd.oci.image.layer.v1.tar', layer)],
  });
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name };
  const index = json({
    schemaVersion: 2,
    manifests: [{ ...described('application/vnd.oci.image.manifest.v1+json', manifest), annotations }],
  });
  const blobs = [layer, config, manifest].map((content) => ({ path: `blobs/sha256/${sha256(content)}`, content }));
  const all = [
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: index },
    ...blobs,
  ];
  return tar(all.map((file) => ({ ...file, mode: 0o644 })));
}

function described(mediaType: string, content: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digest(content), size: content.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function digest(content: Buffer): string {
  return `sha256:${sha256(content)}`;
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
