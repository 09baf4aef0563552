// Pipelines: order, sizes, batching, errors that name the element, and no tensor left behind.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as sn from '../../src/index.js';
import type { Dataset } from '../../src/data/dataset.js';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const arrays = async (dataset: Dataset<sn.Tensor>): Promise<unknown[]> =>
  (await dataset.toArray()).map((each) => each.arraySync());

/** Tensors that `body` leaves behind. */
async function leaked(body: () => Promise<void>): Promise<number> {
  const before = sn.memory().numTensors;
  await body();
  return sn.memory().numTensors - before;
}

describe('order', () => {
  const items = fc.array(fc.integer(), { maxLength: 40 });
  const count = fc.nat({ max: 50 });

  test('take and skip part the elements; size says how many there are', async () => {
    await fc.assert(
      fc.asyncProperty(items, count, async (values, n) => {
        const all = sn.data.array(values);
        const [head, tail] = [all.take(n), all.skip(n)];
        expect(await head.toArray()).toEqual(values.slice(0, n));
        expect(await tail.toArray()).toEqual(values.slice(n));
        expect([head.size, tail.size]).toEqual([values.slice(0, n).length, values.slice(n).length]);
        expect(await head.concatenate(tail).toArray()).toEqual(values);
      }),
    );
  });

  test('shuffle permutes, keeps an element at most bufferSize - 1 places early, and repeats for a seed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 60 }), fc.integer({ min: 1, max: 80 }), fc.integer(), async (n, buffer, seed) => {
        const shuffled = (): Dataset<number> => sn.data.array(numbers(n)).shuffle(buffer, seed);
        const first = await shuffled().toArray();
        expect([...first].sort((a, b) => a - b)).toEqual(numbers(n));
        first.forEach((value, place) => expect(value - place).toBeLessThan(buffer));
        expect(await shuffled().toArray()).toEqual(first);
      }),
    );
  });

  test('a shuffle has another order each pass, the same one where told so, and follows setSeed', async () => {
    const all = sn.data.array(numbers(100));
    const orders = async (dataset: Dataset<number>): Promise<number[][]> => [
      await dataset.toArray(),
      await dataset.toArray(),
    ];
    const [first, second] = await orders(all.shuffle(100, 7));
    expect(first).not.toEqual(second);
    expect(await orders(all.shuffle(100, 7))).toEqual([first, second]);
    expect((await orders(all.shuffle(100, 8)))[0]).not.toEqual(first);
    expect((await orders(all.shuffle(100, 'seven')))[0]).not.toEqual(first);
    const [fixed, again] = await orders(all.shuffle(100, undefined, false));
    expect(again).toEqual(fixed);
    sn.setSeed(5);
    const seeded = await orders(all.shuffle(100));
    sn.setSeed(5);
    expect(await orders(all.shuffle(100))).toEqual(seeded);
    expect(seeded[0]).not.toEqual(seeded[1]);
  });

  test('every order of three is as likely as the others', async () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const order = (await sn.data.array([0, 1, 2]).shuffle(3, seed).toArray()).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    // Chi-squared, 5 degrees of freedom: 20.5 is exceeded once in a thousand; the seeds are fixed.
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - 500) ** 2 / 500, 0);
    expect(counts.size).toBe(6);
    expect(chi).toBeLessThan(20.5);
  });

  test('repeat counts, goes on without end, and ends where there is nothing', async () => {
    const three = sn.data.array([1, 2, 3]);
    expect(await three.repeat(2).toArray()).toEqual([1, 2, 3, 1, 2, 3]);
    expect(await three.repeat(0).toArray()).toEqual([]);
    expect(await three.repeat().take(7).toArray()).toEqual([1, 2, 3, 1, 2, 3, 1]);
    expect([three.repeat(2).size, three.repeat().size, three.repeat().take(7).size]).toEqual([6, Infinity, 7]);
    const empty = sn.data.generator(function* () {
      yield* [] as number[];
    });
    expect(await empty.repeat().toArray()).toEqual([]);
    await expect(three.repeat().toArray()).rejects.toThrow('Dataset.toArray: the data set is endless; use take()');
  });

  test('map, mapAsync, filter, prefetch and zip keep the order', async () => {
    const all = sn.data.array(numbers(10));
    expect(await all.map((x) => x * x).toArray()).toEqual(numbers(10).map((x) => x * x));
    expect(await all.mapAsync((x) => Promise.resolve(-x)).toArray()).toEqual(numbers(10).map((x) => -x));
    expect(await all.filter((x) => x % 3 === 0).toArray()).toEqual([0, 3, 6, 9]);
    expect(all.filter(() => true).size).toBeNull();
    expect(await all.prefetch(3).toArray()).toEqual(numbers(10));
    const zipped = sn.data.zip({ xs: all, ys: all.skip(8) });
    expect(await zipped.toArray()).toEqual([
      { xs: 0, ys: 8 },
      { xs: 1, ys: 9 },
    ]);
    expect(zipped.size).toBe(2);
    expect(await sn.data.zip([all.take(1), all.skip(9)]).toArray()).toEqual([[0, 9]]);
  });

  test('prefetch reads ahead of a consumer that waits', async () => {
    let made = 0;
    const counting = sn.data.generator(function* () {
      for (;;) yield made++;
    });
    const iterator = await counting.prefetch(4).iterator();
    expect((await iterator.next()).value).toBe(0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBe(5);
    await iterator.return();
  });
});

describe('batch', () => {
  test('stacks numbers, booleans, arrays, typed arrays, tensors and objects of them', async () => {
    const element = (i: number): object => ({
      number: i,
      flag: i % 2 === 0,
      row: [i, i + 1],
      bytes: new Uint8Array([i, 2 * i]),
      nested: [
        [1, i],
        [i, 1],
      ],
      tensor: sn.scalar(i, 'int32'),
      pair: [sn.tensor1d([i, 0]), i] as const,
    });
    const [batch] = await sn.data
      .array([element(3), element(4)])
      .batch(2)
      .toArray();
    const found = batch as unknown as Record<string, sn.Tensor> & { pair: sn.Tensor[] };
    const plain = Object.fromEntries(
      Object.entries(found).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.map((each: sn.Tensor) => each.arraySync()) : value.arraySync(),
      ]),
    );
    expect(plain).toEqual({
      number: [3, 4],
      flag: [0, 1],
      row: [
        [3, 4],
        [4, 5],
      ],
      bytes: [
        [3, 6],
        [4, 8],
      ],
      nested: [
        [
          [1, 3],
          [3, 1],
        ],
        [
          [1, 4],
          [4, 1],
        ],
      ],
      tensor: [3, 4],
      pair: [
        [
          [3, 0],
          [4, 0],
        ],
        [3, 4],
      ],
    });
    const dtypes = ['number', 'flag', 'bytes', 'tensor'].map((key) => found[key]!.dtype);
    expect(dtypes).toEqual(['float32', 'bool', 'int32', 'int32']);
  });

  test('sizes, small last batch or none, batch larger than the data, no data', async () => {
    const all = sn.data.array(numbers(5));
    expect(await arrays(all.batch(2))).toEqual([[0, 1], [2, 3], [4]]);
    expect(await arrays(all.batch(2, false))).toEqual([
      [0, 1],
      [2, 3],
    ]);
    expect(await arrays(all.batch(9))).toEqual([[0, 1, 2, 3, 4]]);
    expect(await arrays(all.batch(9, false))).toEqual([]);
    expect(await arrays(sn.data.array<number>([]).batch(3))).toEqual([]);
    expect([all.batch(2).size, all.batch(2, false).size, all.batch(9).size]).toEqual([3, 2, 1]);
  });

  test('joins more tensors than one launch takes', async () => {
    const [batch] = await sn.data
      .array(numbers(700))
      .map((i) => sn.scalar(i))
      .batch(700)
      .toArray();
    expect(batch!.arraySync()).toEqual(numbers(700));
  });

  test.each<[string, unknown[], string]>([
    [
      'shapes of tensors',
      [sn.zeros([2]), sn.zeros([2]), sn.zeros([3])],
      "element 2: expected a tensor of element 0's shape, [2], got a float32 tensor of shape [3]",
    ],
    ['lengths of rows', [[1, 2], [3]], "element 1: expected element 0's shape, [2], got [1]"],
    ['a missing key', [{ xs: 1, ys: 2 }, { xs: 1 }], 'element 1: expected the keys of element 0, xs, ys, got ["xs"]'],
    [
      'text',
      [{ xs: 'red' }],
      'element 0.xs: expected a number, a boolean, an array of them or a tensor; map() can make one, got "red"',
    ],
    [
      'nothing',
      [1, undefined],
      'element 1: expected a number, a boolean, an array of them or a tensor; map() can make one, got undefined',
    ],
    ['a number among tensors', [sn.scalar(1), 2], "element 1: expected a tensor of element 0's shape, [], got 2"],
  ])('names the element that does not fit: %s', async (_, elements, message) => {
    await expect(sn.data.array(elements).batch(8).toArray()).rejects.toThrow(`Dataset.batch: ${message}`);
  });
});

describe('errors', () => {
  const bad = new RangeError('out of order');
  const fail = (at: number) => (x: number) => {
    if (x === at) throw bad;
    return x;
  };

  test.each<[string, () => Dataset<unknown>, string]>([
    ['map', () => sn.data.array(numbers(9)).map(fail(4)), 'Dataset.map: element 4: out of order'],
    [
      'mapAsync',
      () => sn.data.array(numbers(9)).mapAsync((x) => Promise.resolve(x).then(fail(2))),
      'Dataset.mapAsync: element 2: out of order',
    ],
    [
      'filter',
      () => sn.data.array(numbers(9)).filter((x) => fail(1)(x) >= 0),
      'Dataset.filter: element 1: out of order',
    ],
    [
      'generator',
      () =>
        sn.data
          .generator(function* () {
            yield 1;
            yield 2;
            throw bad;
          })
          .map((x) => x)
          .prefetch(3)
          .batch(2),
      'data.generator: element 2: out of order',
    ],
  ])('of a function in %s carry the element and the cause', async (_, make, message) => {
    const error: unknown = await make()
      .toArray()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(sn.SelfnormError);
    expect((error as Error).message).toBe(message);
    expect((error as Error).cause).toBe(bad);
  });

  test('of an op keep their code', async () => {
    const dataset = sn.data.array([1]).map(() => sn.zeros([2]).reshape([3]));
    await expect(dataset.toArray()).rejects.toMatchObject({ code: 'ERR_SHAPE' });
  });

  test.each<[string, () => unknown, string]>([
    ['array', () => sn.data.array(3 as never), 'data.array: items: expected an array, got 3'],
    [
      'generator',
      () => sn.data.generator([1] as never),
      'data.generator: generator: expected a function that returns an iterator, got [1]',
    ],
    ['zip', () => sn.data.zip({} as never), 'data.zip: datasets: expected an object or array of data sets, got'],
    ['batch', () => sn.data.array([1]).batch(0), 'Dataset.batch: batchSize: expected an integer of at least 1, got 0'],
    ['shuffle', () => sn.data.array([1]).shuffle(1.5), 'Dataset.shuffle: bufferSize: expected an integer'],
    ['seed', () => sn.data.array([1]).shuffle(1, NaN), 'Dataset.shuffle: seed: expected a safe integer or a string'],
    ['take', () => sn.data.array([1]).take(-2), 'Dataset.take: count: expected an integer of at least -1, got -2'],
    ['prefetch', () => sn.data.array([1]).prefetch(0), 'Dataset.prefetch: bufferSize: expected an integer'],
    [
      'concatenate',
      () => sn.data.array([1]).concatenate([1] as never),
      'Dataset.concatenate: other: expected a data set, got [1]',
    ],
  ])('of arguments come at once: %s', (_, make, message) => {
    expect(make).toThrow(message);
  });

  test('map says that an async function belongs into mapAsync', async () => {
    const dataset = sn.data.array([1]).map((x) => Promise.resolve(x));
    await expect(dataset.toArray()).rejects.toThrow(
      'Dataset.map: element 0: transform: expected a synchronous function',
    );
  });

  test('a generator function that returns no iterator is told so', async () => {
    await expect(sn.data.generator(() => 3 as never).toArray()).rejects.toThrow(
      'data.generator: element 0: data.generator: generator: expected a function that returns an iterator, got 3',
    );
  });
});

describe('tensors', () => {
  const tensors = (count: number): Dataset<sn.Tensor> =>
    sn.data.generator(function* () {
      for (let i = 0; i < count; i++) yield sn.fill([3], i);
    });

  test.each<[string, (all: Dataset<sn.Tensor>) => Dataset<sn.Tensor>, number]>([
    ['map', (all) => all.map((x) => x.add(1).mul(2)), 20],
    ['map to itself', (all) => all.map((x) => x), 20],
    ['mapAsync', (all) => all.mapAsync((x) => Promise.resolve(sn.tidy(() => x.add(1)))), 20],
    ['filter', (all) => all.filter((x) => x.dataSync()[0]! % 2 === 0), 10],
    ['batch', (all) => all.batch(3), 7],
    ['batch without the last', (all) => all.batch(3, false), 6],
    ['shuffle', (all) => all.shuffle(6, 1), 20],
    ['shuffle and take', (all) => all.shuffle(6, 1).take(4), 4],
    ['prefetch and take', (all) => all.prefetch(5).take(4), 4],
    ['skip', (all) => all.skip(15), 5],
    ['repeat', (all) => all.repeat(2).batch(4), 10],
    ['concatenate', (all) => all.concatenate(all.take(3)), 23],
    ['zip of unlike lengths', (all) => sn.data.zip([all, all.skip(18)]).map(([a, b]) => a.add(b)), 2],
    [
      'all together',
      (all) =>
        all
          .shuffle(9, 2)
          .map((x) => x.mul(2))
          .batch(4)
          .prefetch(2)
          .repeat()
          .take(11),
      11,
    ],
  ])('are freed on the way: %s', async (_, make, count) => {
    let seen = 0;
    const left = await leaked(() => make(tensors(20)).forEachAsync(() => void seen++));
    expect(seen).toBe(count);
    expect(left).toBe(0);
  });

  test('are freed when an error ends the pass', async () => {
    const left = await leaked(async () => {
      const dataset = tensors(20)
        .shuffle(5, 1)
        .prefetch(3)
        .map((x) => x.reshape([4]))
        .batch(2);
      await expect(dataset.toArray()).rejects.toThrow('Dataset.map: element 0');
    });
    expect(left).toBe(0);
  });

  test('are freed when the elements of a batch do not fit', async () => {
    const left = await leaked(async () => {
      const dataset = tensors(5)
        .concatenate(sn.data.generator(() => [sn.zeros([4])]))
        .batch(4);
      await expect(dataset.forEachAsync(() => undefined)).rejects.toThrow('element 5');
    });
    expect(left).toBe(0);
  });

  test("of an array stay the caller's", async () => {
    const mine = [sn.scalar(1), sn.scalar(2)];
    await sn.data
      .array(mine)
      .batch(2)
      .forEachAsync(() => undefined);
    await sn.data
      .array(mine.map((x) => ({ x })))
      .map(({ x }) => x.add(1))
      .forEachAsync(() => undefined);
    expect(mine.map((x) => x.dataSync()[0])).toEqual([1, 2]);
  });

  test('that are kept outlive forEachAsync', async () => {
    const kept: sn.Tensor[] = [];
    await tensors(2).forEachAsync((x) => void kept.push(sn.keep(x)));
    expect(kept.map((x) => x.dataSync()[0])).toEqual([0, 1]);
    kept.forEach((x) => x.dispose());
  });

  test('reach a for-await loop and belong to it', async () => {
    const found: number[] = [];
    const left = await leaked(async () => {
      for await (const x of tensors(9).batch(2)) {
        found.push(x.dataSync()[0]!);
        x.dispose();
        if (found.length === 3) break;
      }
    });
    expect(found).toEqual([0, 2, 4]);
    expect(left).toBe(0);
  });

  test('forEachAsync waits for an async function', async () => {
    const order: string[] = [];
    await tensors(2).forEachAsync(async (x) => {
      order.push('in');
      await new Promise((resolve) => setImmediate(resolve));
      order.push(`out ${x.dataSync()[0]}`);
    });
    expect(order).toEqual(['in', 'out 0', 'in', 'out 1']);
  });
});

describe('generators', () => {
  test('may be async, an iterator, an iterable or a promise of one; each pass starts anew', async () => {
    const sources = [
      () => [1, 2],
      () => Promise.resolve(new Set([1, 2])),
      // eslint-disable-next-line @typescript-eslint/require-await
      async function* () {
        yield 1;
        yield 2;
      },
      () => {
        let i = 0;
        return { next: (): IteratorResult<number> => (i < 2 ? { done: false, value: ++i } : { done: true, value: 0 }) };
      },
    ];
    for (const source of sources) {
      const dataset = sn.data.generator<number>(source);
      expect(await dataset.toArray()).toEqual([1, 2]);
      expect(await dataset.toArray()).toEqual([1, 2]);
      expect(dataset.size).toBeNull();
    }
  });

  test('end their own way when the consumer stops early', async () => {
    let closed = 0;
    const dataset = sn.data.generator(function* () {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed++;
      }
    });
    expect(await dataset.take(2).toArray()).toEqual([0, 1]);
    expect(await dataset.prefetch(2).take(2).toArray()).toEqual([0, 1]);
    expect(closed).toBe(2);
  });
});
