// Several devices. Where there is no second one, the CPU backend's queues stand in for CUDA devices: names, which device is
// current, and the checks between devices are the same.
import { describe, expect, test, vi } from 'vitest';

vi.mock('../src/native/cuda.js', async () => {
  const { loadAddon } = await import('../src/native/load.js');
  const addon = loadAddon('cpu');
  const [one] = addon.devices();
  const loadCuda = Object.assign(() => ({ addon, devices: [one!, one!] }), { works: () => true });
  return { loadCuda };
});

const sn = await import('../src/index.js');
sn.setDevice('cpu');
const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

describe('which device is current', () => {
  test('cuda means its first device', () => {
    expect(sn.devices().map((one) => one.device)).toEqual(['cpu', 'cuda:0', 'cuda:1']);
    expect(sn.withDevice('cuda', () => sn.device())).toBe('cuda:0');
    expect(() => sn.setDevice('cuda:2')).toThrow(/^setDevice: device: .*2 CUDA devices/);
    expect(sn.device()).toBe('cpu');
  });

  test('withDevice nests', () => {
    const seen = sn.withDevice('cuda:0', () => [sn.withDevice('cuda:1', () => sn.device()), sn.device()]);
    expect(seen).toEqual(['cuda:1', 'cuda:0']);
  });

  test('async functions that overlap do not change the device of each other', async () => {
    const on = (device: string): Promise<string[]> =>
      sn.withDevice(device, async () => {
        const seen = [sn.zeros([1]).device];
        for (let i = 0; i < 3; i++) {
          await turn();
          seen.push(sn.zeros([1]).device);
        }
        return seen;
      });
    const first = on('cuda:0');
    const second = on('cuda:1');
    expect(sn.device()).toBe('cpu');
    expect(new Set(await first)).toEqual(new Set(['cuda:0']));
    expect(new Set(await second)).toEqual(new Set(['cuda:1']));
    expect(sn.device()).toBe('cpu');
  });

  test('setDevice inside withDevice lasts until its end', () => {
    sn.withDevice('cuda:0', () => {
      sn.setDevice('cuda:1');
      expect(sn.device()).toBe('cuda:1');
    });
    expect(sn.device()).toBe('cpu');
  });
});

describe('tensors of several devices', () => {
  const far = (): ReturnType<typeof sn.ones> => sn.withDevice('cuda:1', () => sn.fill([2], 5));

  test('to() copies, and its gradient comes back', () => {
    const x = far();
    expect([x.device, x.to('cpu').device, x.to('cuda:1') === x]).toEqual(['cuda:1', 'cpu', true]);
    expect([...x.to('cpu').dataSync()]).toEqual([5, 5]);
    const gradient = sn.grad((t) => t.to('cpu').square())(x);
    expect([gradient.device, ...gradient.dataSync()]).toEqual(['cuda:1', 10, 10]);
  });

  test('numbers and arrays go to the device of the tensor beside them', () => {
    expect([...far().add(1).mul([2, 3]).dataSync()]).toEqual([12, 18]);
    expect([...sn.sub([1, 2], far()).dataSync()]).toEqual([-4, -3]);
    expect([...sn.where([true, false], far(), 0).dataSync()]).toEqual([5, 0]);
  });

  const near = sn.ones([2]);
  const v = sn.variable([1, 2]);
  test.each([
    ['add', () => sn.add(near, far())],
    ['where', () => sn.where(sn.tensor([true, false]), far(), far())],
    ['concat', () => sn.concat([near, far()])],
    ['assign', () => v.assign(far())],
    ['gather', () => sn.gather(far(), sn.tensor([0], [1], 'int32'))],
    ['matMul', () => sn.matMul(near.reshape([1, 2]), far().reshape([2, 1]))],
  ])('%s refuses tensors of two devices', (_name, call) => {
    expect(call).toThrow(expect.objectContaining({ code: 'ERR_DEVICE' }));
    expect([...v.dataSync()]).toEqual([1, 2]);
  });
});
