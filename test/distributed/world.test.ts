// Which process of a job this is, from the variables of each launcher; and what is said of variables that are wrong.
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { openMpi } from '../../src/distributed/mpi-link.js';
import { worldFrom } from '../../src/distributed/world.js';
import * as sn from '../../src/index.js';
import { mpiModulePath } from '../../src/native/paths.js';

const mpirun = { OMPI_COMM_WORLD_RANK: '5', OMPI_COMM_WORLD_SIZE: '8', OMPI_COMM_WORLD_LOCAL_RANK: '1' };
const srun = { SLURM_PROCID: '3', SLURM_NTASKS: '4', SLURM_STEP_NUM_TASKS: '4', SLURM_LOCALID: '0' };
const torchrun = { RANK: '2', WORLD_SIZE: '4', LOCAL_RANK: '2', MASTER_ADDR: 'node0', MASTER_PORT: '29500' };

describe('the environment of a job', () => {
  test.each([
    ['mpirun', mpirun, { launcher: 'mpirun', rank: 5, size: 8, localRank: 1, master: null }],
    ['another MPI', { PMI_RANK: '1', PMI_SIZE: '2' }, { launcher: 'mpirun', rank: 1, size: 2, localRank: 1 }],
    ['srun', srun, { launcher: 'srun', rank: 3, size: 4, localRank: 0 }],
    ['torchrun', torchrun, { launcher: 'torchrun', rank: 2, size: 4, master: { address: 'node0', port: 29500 } }],
    ['torchrun inside of srun', { ...srun, ...torchrun }, { launcher: 'torchrun', rank: 2, size: 4 }],
    ['srun with an address', { ...srun, MASTER_ADDR: 'a', MASTER_PORT: '1' }, { master: { address: 'a', port: 1 } }],
    ['a batch script of Slurm', { SLURM_PROCID: '0', SLURM_NTASKS: '4' }, { launcher: 'none', rank: 0, size: 1 }],
    ['nobody', {}, { launcher: 'none', rank: 0, size: 1, localRank: 0, master: null }],
    ['variables that are empty', { RANK: '', WORLD_SIZE: '', MASTER_PORT: '' }, { launcher: 'none', size: 1 }],
  ])('of %s', (_, env, expected) => {
    expect(worldFrom(env)).toMatchObject(expected);
  });

  test.each([
    [
      { ...mpirun, OMPI_COMM_WORLD_RANK: '8' },
      'OMPI_COMM_WORLD_RANK: expected less than the 8 processes of OMPI_COMM_WORLD_SIZE, got 8',
    ],
    [{ ...mpirun, OMPI_COMM_WORLD_SIZE: undefined }, 'OMPI_COMM_WORLD_SIZE: expected it beside OMPI_COMM_WORLD_RANK'],
    [{ ...torchrun, RANK: 'two' }, 'RANK: expected an integer of at least 0, got "two"'],
    [{ ...torchrun, WORLD_SIZE: '0' }, 'WORLD_SIZE: expected an integer of at least 1, got "0"'],
    [
      { ...torchrun, WORLD_SIZE: undefined },
      "WORLD_SIZE: expected it in the environment of a job that is not mpirun's",
    ],
    [{ ...torchrun, RANK: undefined }, "RANK: expected it in the environment of a job that is not mpirun's"],
    [
      { ...torchrun, MASTER_PORT: undefined },
      'MASTER_PORT: expected it beside MASTER_ADDR; set both to where rank 0 is to listen',
    ],
    [
      { ...torchrun, MASTER_ADDR: undefined },
      'MASTER_ADDR: expected it beside MASTER_PORT; set both to where rank 0 is to listen',
    ],
    [{ ...torchrun, MASTER_PORT: '70000' }, 'MASTER_PORT: expected a port of at most 65535, got 70000'],
  ])('is refused where it is wrong: %o', (env, message) => {
    expect(() => worldFrom(env)).toThrow(`distributed.init: ${message}`);
  });
});

describe('a process alone', () => {
  test('is rank 0 of 1, and needs nothing', async () => {
    expect(await sn.distributed.init()).toEqual({ rank: 0, worldSize: 1, library: null });
    expect([sn.distributed.rank(), sn.distributed.worldSize(), sn.distributed.localRank()]).toEqual([0, 1, 0]);
    const x = sn.tensor([1, 2]);
    const sum = await sn.distributed.allReduce(x);
    expect(sum.arraySync()).toEqual([1, 2]);
    x.dispose();
    expect(sum.arraySync()).toEqual([1, 2]);
    expect((await sn.distributed.broadcast([3])).arraySync()).toEqual([3]);
    await sn.distributed.barrier();
    await sn.distributed.close();
  });

  test('is told of bad arguments', async () => {
    const { allReduce, broadcast } = sn.distributed;
    await expect(allReduce(sn.tensor([true]))).rejects.toThrow(
      'distributed.allReduce: tensor: expected a float or int32',
    );
    await expect(allReduce([1], 'max' as 'sum')).rejects.toThrow("reduction: expected 'sum' or 'mean', got \"max\"");
    await expect(broadcast([1], 1)).rejects.toThrow('distributed.broadcast: root: expected a rank from 0 to 0, got 1');
    const model = sn.sequential({ layers: [sn.layers.dense({ units: 1, inputShape: [1] })] });
    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });
    const distributed = { bucketBytes: 0 };
    await expect(model.fit([[1]], [[1]], { distributed })).rejects.toThrow(
      'distributed.bucketBytes: expected a number',
    );
  });
});

describe('MPI', () => {
  test('that was not there at the build is an error that says what to install', async () => {
    await expect(openMpi(worldFrom(mpirun), '/nowhere/selfnorm_mpi.so')).rejects.toThrow(
      /needs MPI, which was not there at the build; install MPI .*openmpi-bin.* npx selfnorm build/,
    );
  });

  test('is part of this build, which the tests of jobs need', () => {
    expect(existsSync(mpiModulePath()), 'install openmpi-bin and libopenmpi-dev, then: npm run build:native').toBe(
      true,
    );
  });
});
