// Small data files made for a test, a folder for them, and a server that gives them away.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import { CATALOGUE } from '../../src/data/sets/catalogue.js';
import type { Checksum, ImageSetEntry } from '../../src/data/sets/entry.js';

/** A folder that is gone after the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Collects the process's warnings from now on; what it returns stops that and gives them. */
export function warnings(): () => Promise<string[]> {
  const said: string[] = [];
  const listen = (warning: Error): void => void said.push(warning.message);
  process.on('warning', listen);
  return async () => {
    // Warnings are emitted on the next tick.
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    return said;
  };
}

/** Writes files by name into a folder. */
export function write(folder: string, files: Record<string, Uint8Array | string>): void {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

/** An IDX file: two zero bytes, type, rank, sizes, values. */
export function idx(shape: readonly number[], values: Uint8Array, type = 8): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header[2] = type;
  header[3] = shape.length;
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return Buffer.concat([header, values]);
}

/** Bytes that differ from place to place. */
export const pattern = (length: number, step = 7): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * step) % 256);

/** The four files of a set like MNIST with few images; labels 0, 1, 2 ... 9, 0 ... */
export function mnistFiles(train: number, test: number): Record<string, Buffer> {
  const part = (count: number, step: number): [Buffer, Buffer] => [
    idx([count, 28, 28], pattern(count * 784, step)),
    idx(
      [count],
      Uint8Array.from({ length: count }, (_, i) => i % 10),
    ),
  ];
  const [[trainImages, trainLabels], [testImages, testLabels]] = [part(train, 7), part(test, 11)];
  return {
    'train-images-idx3-ubyte': trainImages,
    'train-labels-idx1-ubyte': trainLabels,
    't10k-images-idx3-ubyte': testImages,
    't10k-labels-idx1-ubyte': testLabels,
  };
}

/** The files, each as gzip under its name with `.gz`. */
export function packed(files: Record<string, Uint8Array>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(files).map(([name, bytes]) => [`${name}.gz`, gzipSync(bytes)]));
}

/** A server until the test ends; gives its address, which ends in '/'. */
export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

/** A server that gives these files and knows no others. */
export function serveFiles(files: Record<string, Uint8Array>): Promise<string> {
  return serve((request, response) => {
    const bytes = files[request.url!.slice(1)];
    if (bytes === undefined) response.writeHead(404).end('<html>not here</html>');
    else response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
  });
}

/** A zip archive of deflated files, as PKWARE's APPNOTE describes it: local headers and data, the directory, its end. */
export function zip(files: Record<string, Uint8Array | string>): Buffer {
  const [local, directory]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content);
    const data = deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(bytes), 10);
    fields.writeUInt32LE(data.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(Buffer.byteLength(name), 22);
    const entry = Buffer.alloc(14);
    entry.writeUInt32LE(offset, 10);
    const header = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), data]);
    local.push(header);
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\0'), fields, entry, Buffer.from(name)]));
    offset += header.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(local.length, 4);
  end.writeUInt16LE(local.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...local, ...directory, Buffer.from('PK\x05\x06'), end]);
}

/** CRC-32 of the polynomial 0xedb88320, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ (sum & 1 ? 0xedb88320 : 0);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

/** A digest in hexadecimal. */
export const hex = (algorithm: string, bytes: Uint8Array): string => createHash(algorithm).update(bytes).digest('hex');

/** Fashion-MNIST as these files would be: SHA-256 of what they hold and MD5 of them packed. */
export const fashionOf = (files: Record<string, Uint8Array>): ImageSetEntry => ({
  ...CATALOGUE['fashion-mnist'],
  downloads: Object.entries(files).map(([name, bytes]) => ({
    name: `${name}.gz`,
    files: [name],
    checksums: [
      { of: 'contents', algorithm: 'sha256', digest: hex('sha256', bytes) },
      { of: 'download', algorithm: 'md5', digest: hex('md5', packed(files)[`${name}.gz`]!) },
    ] satisfies Checksum[],
  })),
});
