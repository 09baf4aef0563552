// Tells packed files by their first bytes: names do not say it reliably.
import { open } from 'node:fs/promises';

/** How a file is packed. */
export async function packingOf(file: string): Promise<'gzip' | 'zip' | 'none'> {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead >= 2 && buffer.readUInt16BE() === 0x1f8b) return 'gzip';
    return bytesRead === 4 && buffer.readUInt32BE() === 0x504b0304 ? 'zip' : 'none';
  } finally {
    await handle.close();
  }
}
