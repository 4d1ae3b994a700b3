import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Authority } from '../../tls/certificates.js';
import type { Attack, BrokerNeeds } from './attack.js';
import { AttackedBroker } from './attacked-broker.js';
import { ATTACKS } from './attacks.js';
import { RecordedScene } from './scene.js';
import { SteadyFlow } from './steady-flow.js';
import { faultsOf, processBytesMax } from './trial.js';

// The long form, `npm run test:hostile`, does all of it, and measures. Here nothing is measured.
const SCALE = 0.03;
const ATTACK_MILLISECONDS = 300;
const RATE_PER_SECOND = 500;

const tls = new Authority({ after }).sign('localhost', 'IP:127.0.0.1');

describe('hostile peers leave others alone', { skip: process.platform !== 'linux' }, () => {
  const [own, others] = [true, false].map((isOwn) =>
    ATTACKS.filter(({ raisesAlarm = false }) => raisesAlarm === isOwn),
  ) as [Attack[], Attack[]];

  describe('on one broker, one after the other', async () => {
    const needs: BrokerNeeds = Object.assign({}, ...others.map(({ broker }) => broker));
    const broker = await AttackedBroker.start(needs, tls);
    after(() => broker.stop());
    for (const attack of others) {
      test(attack.name, () => withstand(attack, broker));
    }
  });

  for (const attack of own) {
    test(attack.name, async (t) => {
      const broker = await AttackedBroker.start(attack.broker ?? {}, tls);
      t.after(() => broker.stop());
      await withstand(attack, broker);
    });
  }
});

/** Nobody else is cut off, nothing is lost, memory has an end, and refusals are as expected. */
async function withstand(attack: Attack, broker: AttackedBroker): Promise<void> {
  const flow = await SteadyFlow.start(broker.port, RATE_PER_SECOND);
  let begun: () => void = () => {};
  const over = new Promise<void>((resolve) => {
    begun = resolve;
  }).then(() => delay(ATTACK_MILLISECONDS));
  const { port, tlsPort } = broker;
  const scene = new RecordedScene({ port, tlsPort, scale: SCALE }, over, begun);
  await attack.run(scene);
  assert.ok((await flow.stop()) > 0, 'nothing was published');
  assert.deepEqual([...faultsOf(attack, scene.report(undefined))], []);
  assert.equal(flow.blockedTimes > 0, attack.raisesAlarm ?? false);
  assert.deepEqual(broker.errors(), []);
  assert.ok(broker.memory().peak < processBytesMax(attack, broker.memoryBytes));
}
