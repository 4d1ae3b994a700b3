/**
 * Measures Leveret, and beside it every broker there is to compare it with:
 *
 *     npm run bench -- [--row TEXT]... [--rounds 3] [--seconds 2] [--url NAME=amqp://...]...
 *                      [--no-rabbitmq] [--json FILE] [--docs] [--prof DIR] [--list]
 *
 * A row is measured when its name contains the text. RabbitMQ takes part if it is installed. With
 * `--docs` the page docs/performance-results.md is written anew, and its picture.
 */
import { parseArgs } from 'node:util';
import { type BrokerSource, runningBroker } from './brokers/broker.js';
import { leveret, ownLauncher } from './brokers/leveret.js';
import { rabbitmq } from './brokers/rabbitmq.js';
import { ROWS } from './rows/rows.js';
import { runAndReport } from './run.js';

const { values } = parseArgs({
  options: {
    row: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    url: { type: 'string', multiple: true, default: [] },
    'no-rabbitmq': { type: 'boolean', default: false },
    json: { type: 'string' },
    docs: { type: 'boolean', default: false },
    prof: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
});

if (values.list) {
  for (const { name } of ROWS) console.log(name);
} else {
  await runAndReport(sources(), {
    rows: values.row,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    json: values.json,
    docs: values.docs,
  });
}

function sources(): BrokerSource[] {
  const nodeOptions =
    values.prof === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.prof}`];
  const own = leveret({ name: 'Leveret', launcher: ownLauncher, nodeOptions });
  const peer = values['no-rabbitmq'] ? undefined : rabbitmq();
  const others = values.url.map((given) => {
    const [, name, url] = /^([^=]+)=(amqp:.+)$/.exec(given) ?? [];
    if (name === undefined || url === undefined)
      throw new Error(`--url ${given}: not NAME=amqp://`);
    return runningBroker(name, url);
  });
  return [own, ...(peer === undefined ? [] : [peer]), ...others];
}
