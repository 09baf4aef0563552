// What the fuzzer calls: the reader that SELFNORM_FUZZ_READER names.
import { READERS } from './readers.js';
import { feed } from './target.js';

const target = READERS[process.env['SELFNORM_FUZZ_READER'] ?? ''];
if (target === undefined) throw new Error(`SELFNORM_FUZZ_READER: expected one of ${Object.keys(READERS).join(', ')}`);

/** libFuzzer's function. */
export async function fuzz(data: Uint8Array): Promise<void> {
  // libFuzzer's bytes are its own and change after the call.
  await feed(target!, Uint8Array.from(data));
}
