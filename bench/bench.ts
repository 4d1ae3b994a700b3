/**
 * Measures Leveret, and beside it every broker there is to compare it with. RabbitMQ takes part if
 * it is installed.
 */
import { parseArgs } from 'node:util';
import { type BrokerSource, runningBroker } from './brokers/broker.js';
import { leveret, ownLauncher } from './brokers/leveret.js';
import { rabbitmq } from './brokers/rabbitmq.js';
import { ROWS } from './rows/rows.js';
import { runAndReport } from './run.js';

const USAGE = `npm run bench -- [options]

  --row TEXT          only rows with this in their names; may be given more than once
  --list              name the rows
  --rounds N          how often each row is measured, brokers in turn (3)
  --seconds S         how long each time (2)
  --url NAME=URL      another broker that runs already, by amqp:// URL; may be given more than once
  --no-rabbitmq       leave RabbitMQ out although it is installed
  --json FILE         where the numbers go, and beside it a picture (a new file in bench/results)
  --awake             keep processors from going to sleep: on virtual machines that takes most of
                      the time wherever an answer is waited for
  --docs              write docs/performance-results.md anew, and its picture
  --prof DIR          a CPU profile of Leveret, for the inspector of Chrome`;

const { values } = parseArgs({
  options: {
    row: { type: 'string', multiple: true, default: [] },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    url: { type: 'string', multiple: true, default: [] },
    'no-rabbitmq': { type: 'boolean', default: false },
    json: { type: 'string' },
    awake: { type: 'boolean', default: false },
    docs: { type: 'boolean', default: false },
    prof: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(USAGE);
} else if (values.list) {
  for (const { name } of ROWS) console.log(name);
} else {
  await runAndReport(sources(), {
    rows: values.row,
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    json: values.json,
    awake: values.awake,
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
