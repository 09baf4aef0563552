// A trained model behind HTTP: POST the 784 bytes of a digit and get the digit with its probability. Predictions are awaited, so
// the server goes on answering; --quick asks itself once and ends.
//   npx tsx examples/predict-server.ts [--quick] [port]
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import * as sn from '../src/index.js'; // In a project of your own: 'selfnorm'.

const quick = process.argv.includes('--quick');
const port = Number(process.argv.slice(2).find((argument) => /^\d+$/.test(argument)) ?? (quick ? 0 : 8080));
const BYTES = 28 * 28;
sn.setSeed(1);

const { train, test } = await sn.data.mnist();
const some = train.slice(0, quick ? 2000 : 20_000);
// The first layer takes bytes as they come over the wire.
const model = sn.sequential({
  layers: [
    sn.layers.rescaling({ scale: 1 / 255, inputShape: [28, 28, 1] }),
    sn.layers.flatten(),
    sn.layers.dense({ units: 128, activation: 'selu', kernelInitializer: 'leCunNormal' }),
    sn.layers.dense({ units: 10, activation: 'softmax' }),
  ],
});
model.compile({ optimizer: 'adam', loss: 'categoricalCrossentropy', metrics: ['accuracy'] });
await model.fit(some.pixels(), some.ys(), { epochs: 3, batchSize: 50 });

async function digitOf(bytes: Uint8Array): Promise<{ digit: number; probability: number }> {
  const image = sn.tensor(bytes, [1, 28, 28, 1], 'uint8');
  const scores = model.predict(image) as sn.Tensor;
  const values = [...(await scores.data())];
  for (const tensor of [image, scores]) tensor.dispose();
  const probability = Math.max(...values);
  return { digit: values.indexOf(probability), probability };
}

const server = createServer((request, response) => {
  void (async () => {
    const body = await buffer(request);
    const good = request.method === 'POST' && body.length === BYTES;
    const answer = good ? await digitOf(body) : { error: `POST ${BYTES} bytes: an image of 28 x 28, grey` };
    response.writeHead(good ? 200 : 400, { 'content-type': 'application/json' }).end(`${JSON.stringify(answer)}\n`);
  })();
});
await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
console.log(`listening; curl --data-binary @digit.bin ${address}`);

if (quick) {
  const ask = async (body: Uint8Array): Promise<void> => {
    const response = await fetch(address, { method: 'POST', body });
    console.log(response.status, (await response.text()).trim());
  };
  await ask(test.images.slice(0, BYTES)); // A seven.
  await ask(new Uint8Array(3));
  server.close();
}
