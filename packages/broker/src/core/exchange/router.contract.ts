import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FieldTable } from '@leveret/amqp';
import fc from 'fast-check';
import { heldBytes } from '../../base/held-bytes.test.support.js';
import { TestMessage } from '../message.test.support.js';
import { Exchange } from './exchange.js';
import type { Binding, Destination, Router } from './router.js';
import type { BindingVerdict } from './verdict.js';

/** What a message is routed by. */
export interface Addressed {
  readonly routingKey: string;
  readonly headers: FieldTable;
}

/** What a binding is made with. */
export interface BindingTerms {
  readonly routingKey: string;
  readonly arguments: FieldTable;
}

/** An exchange type, as the contract needs it. */
export interface RouterUnderTest {
  readonly newRouter: () => Router;
  readonly bindings: fc.Arbitrary<BindingTerms>;
  readonly messages: fc.Arbitrary<Addressed>;
  /** The type's rule for one binding and one message, put as plainly as it can be. */
  readonly matches: (binding: BindingTerms, message: Addressed) => boolean;
  /** Whether the routing key alone decides. */
  readonly byRoutingKey: boolean;
}

const SOURCE = newExchange('source');
const DESTINATIONS = Array.from({ length: 4 }, (_, i) => newExchange(`to ${i}`));

/** What every {@link Router} that has bindings has to hold to. */
export function routerContract(name: string, type: RouterUnderTest): void {
  const { newRouter, matches, byRoutingKey } = type;
  const binding = fc
    .tuple(type.bindings, fc.constantFrom(...DESTINATIONS))
    .map(([terms, destination]): Binding => ({ ...terms, source: SOURCE, destination }));

  test(`${name}: routes to what is bound by a rule that the message meets, each once`, () => {
    const step = fc.record({ binding, at: fc.nat(), adds: fc.boolean() });
    const steps = fc.array(step, { maxLength: 20, size: 'max' });
    fc.assert(
      fc.property(steps, fc.array(type.messages, { minLength: 1 }), (changes, messages) => {
        const router = newRouter();
        const bindings: Binding[] = [];
        for (const { binding: each, at, adds } of changes) {
          router.check(each.arguments, each.routingKey);
          if (adds || bindings.length === 0) {
            router.add(each);
            bindings.push(each);
          } else {
            router.remove(bindings.splice(at % bindings.length, 1)[0]!);
          }
        }
        for (const message of messages) {
          const expected = bindings.filter((each) => matches(each, message));
          assert.deepEqual(routed(router, message), namesOf(expected));
          for (const verdict of explained(router, bindings, message)) {
            assert.equal(verdict.matches, matches(verdict.binding!, message), verdict.why);
            assert.equal(verdict.nearness === 1, verdict.matches, 'only what matches is near');
          }
        }
        for (const each of bindings) router.remove(each);
        for (const message of messages) assert.equal(routed(router, message).size, 0);
      }),
      { numRuns: 500 },
    );
  });

  test(`${name}: what was removed leaves nothing behind`, () => {
    const bytes = heldBytes(() => {
      const router = newRouter();
      for (let i = 0; i < 20_000; i++) {
        const binding = bindingTo(DESTINATIONS[i % DESTINATIONS.length]!, `${i % 7}.${i}.*`);
        router.add(binding);
        router.remove(binding);
      }
      return router;
    });
    // Left behind, each would take a hundred octets and more.
    assert.ok(bytes < 500_000, `${bytes} octets`);
  });

  test(`${name}: adds to what has been found already`, () => {
    const router = newRouter();
    const found = new Set<Destination>(DESTINATIONS);
    router.route('key', new TestMessage('message'), found);
    assert.equal(found.size, DESTINATIONS.length);
  });

  test(`${name}: says whether its results may be remembered by routing key`, () => {
    assert.equal(newRouter().byRoutingKey, byRoutingKey);
  });
}

function bindingTo(destination: Destination, routingKey: string): Binding {
  return { source: SOURCE, destination, routingKey, arguments: new Map() };
}

function routed(router: Router, { routingKey, headers }: Addressed): Set<string> {
  const into = new Set<Destination>();
  router.route(routingKey, new TestMessage('message', headers), into);
  return new Set([...into].map((each) => each.name));
}

function explained(
  router: Router,
  bindings: readonly Binding[],
  { routingKey, headers }: Addressed,
): readonly BindingVerdict[] {
  return router.explain(bindings, routingKey, new TestMessage('message', headers));
}

function namesOf(bindings: readonly Binding[]): Set<string> {
  return new Set(bindings.map((binding) => binding.destination.name));
}

function newExchange(name: string): Exchange {
  return new Exchange({
    name,
    type: 'fanout',
    durable: false,
    autoDelete: false,
    internal: false,
    arguments: new Map(),
  });
}
