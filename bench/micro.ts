/**
 * Measures small parts on their own: `npm run bench:micro [-- REGEXP]`, of those whose names match.
 * What they cost inside the broker, where caches are cold and code has seen everything, is more.
 */
import { run } from 'mitata';
import { codec } from './micro/codec.js';
import { journal } from './micro/journal.js';
import { queue } from './micro/queue.js';
import { routing } from './micro/routing.js';

const [pattern] = process.argv.slice(2);

codec();
routing();
queue();
journal();
await run(pattern === undefined ? {} : { filter: new RegExp(pattern) });
