import fc from 'fast-check';
import { DirectRouter } from './direct.js';
import { routerContract } from './router.contract.js';

const key = fc.constantFrom('', 'a', 'b', 'a.b', '#', '\u00ff');

routerContract('direct', {
  newRouter: () => new DirectRouter(),
  bindings: fc.record({
    routingKey: key,
    arguments: fc.constantFrom(new Map(), new Map([['n', { type: 'I', value: 1 } as const]])),
  }),
  messages: fc.record({ routingKey: key, headers: fc.constant(new Map()) }),
  matches: (binding, message) => binding.routingKey === message.routingKey,
  byRoutingKey: true,
});
