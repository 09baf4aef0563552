// The backend's storage: reference counts, memory, other backends' data, strings and complex numbers, kernels of the host.
import { describe, expect, test } from 'vitest';
import { tensor as ownTensor } from '../../src/index.js';
import { SelfnormBackend } from '../../src/tfjs/backend.js';
import { tf } from './on-both.js';

describe('the backend', () => {
  test('is the active one once the package is imported, above the others', () => {
    expect(tf.getBackend()).toBe('selfnorm');
    expect(tf.backend()).toBeInstanceOf(SelfnormBackend);
  });

  test('computes at least 120 kernels natively and names those that it does not', () => {
    expect(tf.kernels.native.length).toBeGreaterThanOrEqual(120);
    expect(tf.kernels.native.filter((name) => tf.kernels.host.includes(name))).toEqual([]);
  });

  test('keeps what was given, whatever happens to the array', () => {
    const given = Float32Array.of(1, 2, 3);
    const x = tf.tensor1d(given);
    given.fill(9);
    expect([...x.dataSync()]).toEqual([1, 2, 3]);
    x.dispose();
  });

  test('shares values between reshaped tensors and frees them with the last', () => {
    const backend = tf.backend();
    const before = backend.numDataIds();
    const x = tf.tensor1d([1, 2, 3, 4, 5, 6]);
    const views = [
      [2, 3],
      [3, 2],
      [6, 1],
      [1, 6],
      [1, 2, 3],
      [1, 3, 2],
    ].map((shape) => x.reshape(shape));
    expect(backend.numDataIds()).toBe(before + 1);
    expect(backend.refCount(x.dataId)).toBe(7);
    expect(views.map((view) => view.sum(0).size)).toEqual([3, 2, 1, 6, 6, 6]);
    x.dispose();
    expect([...views[0]!.dataSync()]).toEqual([1, 2, 3, 4, 5, 6]);
    views.forEach((view) => view.dispose());
    expect(backend.refCount(x.dataId)).toBe(0);
  });

  test('tells the bytes of the device in memory()', () => {
    const { numBytesOnDevice } = tf.memory() as unknown as { numBytesOnDevice: number };
    const x = tf.zeros([1 << 18]);
    const after = tf.memory() as unknown as { numBytesOnDevice: number; unreliable: boolean };
    expect(after.numBytesOnDevice - numBytesOnDevice).toBeGreaterThanOrEqual(4 << 18);
    expect(after.unreliable).toBe(false);
    x.dispose();
  });

  test('takes data from another backend and gives it back', async () => {
    await tf.setBackend('cpu');
    const x = tf.tensor1d([1, 2]);
    const c = tf.complex([1, 2], [3, 4]);
    await tf.setBackend('selfnorm');
    const y = x.mul(2);
    const z = tf.complex([0, 1], [1, 0]).add(c);
    expect([...tf.real(z).dataSync(), ...tf.imag(z).dataSync()]).toEqual([1, 3, 4, 4]);
    await tf.setBackend('cpu');
    expect([...y.add(1).dataSync()]).toEqual([3, 5]);
    await tf.setBackend('selfnorm');
  });

  test('reads asynchronously and times work', async () => {
    const x = tf.range(0, 5);
    expect([...(await x.square().data())]).toEqual([0, 1, 4, 9, 16]);
    const { kernelMs } = (await tf.time(() => tf.square(x))) as { kernelMs: number };
    expect(kernelMs).toBeGreaterThan(0);
  });

  test('computes on the host what it has no kernel for', () => {
    const spectrum = tf.spectral.fft(tf.complex([1, 0, 0, 0], [0, 0, 0, 0]));
    expect([...tf.real(spectrum).dataSync()]).toEqual([1, 1, 1, 1]);
    expect(tf.string.stringSplit(tf.tensor1d(['a b', 'c']), ' ')['values']!.dataSync()).toEqual(['a', 'b', 'c']);
    const { values, indices } = tf.unique(tf.tensor1d([3, 1, 3]));
    expect([[...values.dataSync()], [...indices.dataSync()]]).toEqual([
      [3, 1],
      [0, 1, 0],
    ]);
  });

  test('concatenates strings, which stay on the host', () => {
    const both = tf.concat([tf.tensor1d(['a']), tf.tensor1d(['b', 'c'])]);
    expect(both.dataSync()).toEqual(['a', 'b', 'c']);
  });

  test('names the package to install in place of a tensor it cannot compute with', () => {
    const backend = tf.backend() as SelfnormBackend;
    const text = tf.tensor1d(['a']);
    expect(() => backend.tensor(text)).toThrow(/expected a tensor of numbers, got one of dtype string/);
    expect(() => backend.readToGPU(text.dataId)).toThrow(/textures and WebGPU buffers do not exist/);
  });

  test('leaves the scopes of our own library alone', () => {
    const own = ownTensor([1, 2]);
    expect(tf.tidy(() => tf.tensor1d([1, 2]).add(1)).isDisposed).toBe(false);
    expect(own.isDisposed).toBe(false);
  });
});
