import fc from 'fast-check';
import { FanoutRouter } from './fanout.js';
import { routerContract } from './router.contract.js';

const key = fc.constantFrom('', 'a', 'b');

routerContract('fanout', {
  newRouter: () => new FanoutRouter(),
  bindings: fc.record({ routingKey: key, arguments: fc.constant(new Map()) }),
  messages: fc.record({ routingKey: key, headers: fc.constant(new Map()) }),
  matches: () => true,
  byRoutingKey: true,
});
