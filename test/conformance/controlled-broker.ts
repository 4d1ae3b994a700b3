import { execFile } from 'node:child_process';
import { after } from 'node:test';
import { promisify } from 'node:util';
import { type PolicyRequest, startBroker } from '@leveret/broker';
import { RawConnection } from '../wire/raw-connection.js';
import { BrokerUnderTest, brokerUnderTest } from './broker-under-test.js';

const run = promisify(execFile);

/** What is set beside AMQP: an operator's business. */
export interface BrokerControl {
  setPolicy(policy: PolicyRequest): Promise<void>;
  clearPolicy(name: string): Promise<void>;
  setOperatorPolicy(policy: PolicyRequest): Promise<void>;
  clearOperatorPolicy(name: string): Promise<void>;
  setTracing(isOn: boolean): Promise<void>;
  /** Has the broker believe that it has no memory left, or ends that. */
  setMemoryAlarm(isOn: boolean): Promise<void>;
}

/** A broker whose operator the test is. */
export interface ControlledBroker {
  readonly broker: BrokerUnderTest;
  /** Undefined if nobody has said how: tests that need it are skipped. */
  readonly control: BrokerControl | undefined;
}

/**
 * As {@link brokerUnderTest}, with its policies and its firehose in the test's hands: of the
 * Leveret in this process through its API, of a RabbitMQ through the command that `RABBITMQCTL`
 * names.
 */
export async function controlledBroker(): Promise<ControlledBroker> {
  if (process.env.AMQP_URL !== undefined) {
    const command = process.env.RABBITMQCTL;
    const broker = await brokerUnderTest();
    return { broker, control: command === undefined ? undefined : rabbitControl(command) };
  }
  const running = await startBroker({ port: 0 });
  after(() => running.close());
  const vhost = running.vhost('/');
  const control: BrokerControl = {
    setPolicy: async (policy) => vhost.policies.set(policy),
    clearPolicy: async (name) => void vhost.policies.delete(name),
    setOperatorPolicy: async (policy) => vhost.operatorPolicies.set(policy),
    clearOperatorPolicy: async (name) => void vhost.operatorPolicies.delete(name),
    setTracing: async (isOn) => {
      vhost.tracing = isOn;
    },
    setMemoryAlarm: async (isOn) => running.setMemoryHighWatermark(isOn ? 0 : undefined),
  };
  return { broker: new BrokerUnderTest(running.url, false, true), control };
}

/** Whether the broker has an exchange type: RabbitMQ's plugins may be off. */
export async function hasExchangeType(
  broker: BrokerUnderTest,
  type: string,
  args: Readonly<Record<string, string>> = {},
): Promise<boolean> {
  const raw = await RawConnection.handshake(broker.port);
  await raw.openChannel(1);
  raw.sendMethod(1, 'exchange.declare', { exchange: broker.exchangeName(), type, arguments: args });
  const answer = await raw.nextMethod();
  raw.destroy();
  return answer.name === 'exchange.declare-ok';
}

function rabbitControl(command: string): BrokerControl {
  const ask = async (...args: string[]): Promise<void> => {
    try {
      await run(command, ['--quiet', ...args]);
    } catch (error) {
      // What went wrong is on stderr: `Error:`, then the text.
      const { stderr } = error as { stderr: string }; // execFile's error has it
      throw new Error(stderr.replace(/^Error:\s*/, '').trim(), { cause: error });
    }
  };
  const set = (what: string, { name, pattern, ...rest }: PolicyRequest): Promise<void> => {
    const options = ['--priority', String(rest.priority ?? 0), '--apply-to', rest.applyTo ?? 'all'];
    return ask(what, name, pattern, JSON.stringify(rest.definition), ...options);
  };
  return {
    setPolicy: (policy) => set('set_policy', policy),
    clearPolicy: (name) => ask('clear_policy', name),
    setOperatorPolicy: (policy) => set('set_operator_policy', policy),
    clearOperatorPolicy: (name) => ask('clear_operator_policy', name),
    setTracing: (isOn) => ask(isOn ? 'trace_on' : 'trace_off'),
    setMemoryAlarm: (isOn) => ask('set_vm_memory_high_watermark', isOn ? '0' : '0.4'),
  };
}
