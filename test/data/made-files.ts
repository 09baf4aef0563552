// Small data files made for a test, a folder for them, and a server that gives them away.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

/** A folder that is gone after the test. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'selfnorm-data-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
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
