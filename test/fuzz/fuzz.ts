/**
 * Gives the broker what no client would send, in two ways:
 *
 *     npm run test:fuzz -- [--inputs 10000000] [--frames 1000000] [--seed 1]
 *
 * First inputs for everything that reads octets of strangers, in this process, guided by which
 * blocks of the code have run; then streams of frames for a broker in a process of its own, with a
 * well-behaved client alongside.
 *
 * `--again TARGET:HEX` runs one input again, as a failure prints it. The same seed gives the same
 * streams; `--only N` sends the one of that number alone. `--url amqp://...` sends the streams to
 * another broker, with `--inputs 0` nothing else.
 */
import { parseArgs } from 'node:util';
import { startLeveretProcess } from '../peers/leveret-process.js';
import { sendHostileStreams } from './hostile-streams.js';
import { fuzzInputs, runInput } from './inputs.js';

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '10000000' },
    frames: { type: 'string', default: '1000000' },
    seed: { type: 'string', default: '1' },
    again: { type: 'string' },
    only: { type: 'string' },
    url: { type: 'string' },
  },
});
const seed = Number(values.seed);

if (values.again !== undefined) {
  const [target = '', digits = ''] = values.again.split(':');
  await runInput(target, digits);
} else {
  const inputs = values.only === undefined ? Number(values.inputs) : 0;
  if (inputs > 0) console.log(await fuzzInputs(inputs, seed, true, tellMillions()));
  if (Number(values.frames) > 0) await streams();
}

/** A line for each million, as it takes minutes. */
function tellMillions(): (inputs: number) => void {
  let told = 0;
  return (inputs) => {
    if (inputs < told + 1_000_000) return;
    told = inputs;
    console.log(`${inputs} inputs`);
  };
}

async function streams(): Promise<void> {
  const leveret = values.url === undefined ? await startLeveretProcess() : undefined;
  try {
    const report = await sendHostileStreams({
      port: leveret?.port ?? Number(new URL(values.url!).port),
      frames: Number(values.frames),
      seed,
      internalErrors: values.url !== undefined,
      ...(values.only === undefined ? {} : { only: Number(values.only) }),
    });
    console.log(report);
  } finally {
    const isRunning = leveret?.isRunning() ?? true;
    const exit = await leveret?.stop();
    const complaints = leveret?.complaints() ?? '';
    if (!isRunning || complaints !== '') {
      console.error(`the broker ended with ${exit}:\n${complaints}`);
      process.exitCode = 1;
    }
  }
}
